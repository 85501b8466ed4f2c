// Looking again must not make a difference that stays look like one that was on its way.

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RecheckServers, ATableWithoutAKeyStaysDifferent) {
  const char* sql = "CREATE TABLE t (v text)";
  const Pair pair(sql, sql);
  pair.source.exec("INSERT INTO t VALUES ('a'), ('same')");
  pair.target.exec("INSERT INTO t VALUES ('b'), ('same')");
  const auto verdict = pair.compare({"--recheck", "1"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_EQ(verdict.table("public.t").at("rows").at("missing"), 1);
  EXPECT_EQ(verdict.table("public.t").at("rows").at("extra"), 1);
}

// The target gives its row for the digest, and refuses when it is asked which row it was; each time.
TEST(RecheckServers, ALookUpThatFailsSettlesNothing) {
  const support::TempDir directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
  const auto counter = (directory / "calls").string();
  const char* sql = "CREATE TABLE t (id int PRIMARY KEY, v text)";
  const Pair pair(sql, sql);
  pair.source.exec(
      "INSERT INTO t VALUES (1, 'a'); CREATE FUNCTION here() RETURNS bool LANGUAGE sql AS 'SELECT true'");
  pair.target.exec(fmt::format(R"(
    COPY (SELECT 0) TO '{0}';
    INSERT INTO t VALUES (1, 'b');
    CREATE FUNCTION here() RETURNS bool LANGUAGE plpgsql AS $$
      DECLARE calls int := pg_read_file('{0}')::int + 1;
      BEGIN
        EXECUTE format('COPY (SELECT %s) TO %L', calls, '{0}');
        IF calls % 2 = 0 THEN RAISE 'not now'; END IF;
        RETURN true;
      END $$)",
                               counter));
  const auto verdict =
      pair.compare({"--recheck", "2", "--where", "public.t=public.here()", "--waive", "function *"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.in_state("different"), ElementsAre("public.t"));
}

// Each of its rows is gone when it is looked at again; none has ever come to the target.
TEST(RecheckServers, AQueueThatNobodyReplicatesIsNotEqual) {
  const char* sql = "CREATE TABLE queue (id int PRIMARY KEY)";
  const Pair pair(sql, sql);
  pair.source.exec("INSERT INTO queue VALUES (1)");
  const support::TempDir directory;
  support::Process process(support::cutover_program(),
                           {"verify", "--source", pair.source.url(), "--target", pair.target.url(),
                            "--recheck", "1", "--report", directory / "report.json"});
  process.wait_for_output("looking at them again");
  pair.source.exec("BEGIN; DELETE FROM queue; INSERT INTO queue VALUES (2); COMMIT");
  Verdict verdict{process.wait(), {}};
  verdict.report = json::parse(copy::test::slurp(directory / "report.json"));
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.queue"));
  EXPECT_THAT(verdict.process.output, HasSubstr("public.queue: other rows differ each time"));
}

}  // namespace
}  // namespace verify::test
