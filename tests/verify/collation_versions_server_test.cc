// A library that sorts otherwise than it did: indexes miss rows, and no row differs.

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kSorted = R"(
  CREATE COLLATION own (LOCALE = 'C'); CREATE COLLATION unused (LOCALE = 'C');
  CREATE TABLE t (id int PRIMARY KEY, v text COLLATE own, w text);
  CREATE INDEX t_v ON t (v); CREATE INDEX t_lower ON t (id, lower(w) COLLATE own); CREATE INDEX t_w ON t (w))";
constexpr const char* kOutdated =
    "UPDATE pg_collation SET collversion = '0' WHERE collname IN ('own', 'unused')";

class CollationVersions : public ::testing::TestWithParam<int> {};

TEST_P(CollationVersions, OfTheTargetThatTheLibraryHasLeftBehindAreNamed) {
  const Pair pair(kSorted, kSorted, GetParam(), GetParam());
  EXPECT_THAT(pair.compare().remarks("notes"), IsEmpty());
  // At the source they are none of the target's business.
  pair.source.exec(kOutdated);
  const auto other = pair.compare();
  EXPECT_EQ(other.code(), 0) << other.text();
  EXPECT_THAT(other.remarks("notes"), IsEmpty());
  EXPECT_THAT(other.report.at("catalog").at("expected").dump(), HasSubstr("the library that sorts text"));

  pair.target.exec(kOutdated);
  const auto verdict = pair.compare({"--level", "counts"});
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(
      verdict.remarks("notes"),
      ElementsAre("collation public.own: is recorded at the target with version 0, but its library now "
                  "has none: indexes that were built before may miss rows: public.t_lower, public.t_v"));
  EXPECT_EQ(verdict.report.at("notes").at(0).at("hint"),
            "REINDEX INDEX each of them, then ALTER COLLATION public.own REFRESH VERSION");
  EXPECT_THAT(verdict.process.output, HasSubstr("collation public.own: is recorded"));
}

INSTANTIATE_TEST_SUITE_P(Versions, CollationVersions, ::testing::Values(12, 14, 16, 18));

TEST(DatabaseCollation, OfAnotherVersionIsNamedToo) {
  for (const int major : {15, 17, 18}) {
    SCOPED_TRACE(major);
    const Pair pair(kSorted, kSorted, 15, major);
    pair.target.exec("UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database()");
    const auto verdict = pair.compare({"--level", "catalog"});
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.remarks("notes"),
                ElementsAre(HasSubstr("database's own collation: is recorded at the target with version 0")));
    EXPECT_THAT(verdict.remarks("notes"), Contains(HasSubstr("public.t_w")));
    EXPECT_THAT(verdict.remarks("notes"), Not(Contains(HasSubstr("public.t_v"))));
    EXPECT_THAT(verdict.report.at("notes").at(0).at("hint").dump(), HasSubstr("REFRESH COLLATION VERSION"));
    pair.target.exec("UPDATE pg_database SET datcollversion = NULL WHERE datname = current_database()");
  }
}

}  // namespace
}  // namespace verify::test
