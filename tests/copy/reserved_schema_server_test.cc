// A user's own schema may be called "cutover": what is in it is never passed over.

#include "tests/copy/fixture.h"
#include "tests/verify/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStrangers = R"(
  CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1);
  CREATE SCHEMA cutover; CREATE TABLE cutover.mine (id serial PRIMARY KEY); CREATE TABLE cutover.run (id int);
  CREATE FUNCTION cutover.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1')";

TEST(ReservedSchema, WhatAUserHasInItIsRefusedAndNothingIsDone) {
  const Move move(kStrangers);
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(text_of(result),
              AllOf(HasSubstr("table cutover.mine"), HasSubstr("sequence cutover.mine_id_seq"),
                    HasSubstr("table cutover.run"), HasSubstr("function cutover.f(integer)"),
                    HasSubstr("--exclude cutover")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
  EXPECT_TRUE(exits(move.copy({"--exclude", "cutover"}), 0));
  EXPECT_THAT(move.way.report().dump(), HasSubstr("table cutover.mine"));
  const auto verdict =
      verify::test::compare(move.source.url(), move.target.url(), {"--run-dir", move.way.run_dir()});
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.remarks("skipped"), Contains("table cutover.mine: the copy was told to leave it out"));
  // That was not told of what came later.
  move.source.exec("CREATE TABLE cutover.other (id int)");
  const auto later =
      verify::test::compare(move.source.url(), move.target.url(), {"--run-dir", move.way.run_dir()});
  EXPECT_EQ(later.code(), 3) << later.text();
  EXPECT_THAT(later.remarks("unchecked"),
              Contains(HasSubstr("table cutover.other: is in the schema cutover")));
}

TEST(ReservedSchema, WhatIsAtTheTargetIsRefusedAndNotCleanedAway) {
  const Move move("CREATE TABLE t (id int)");
  move.target.exec("CREATE SCHEMA cutover; CREATE TABLE cutover.mine (id int)");
  EXPECT_TRUE(exits(move.copy(), 2));
  move.target.exec("DROP SCHEMA cutover CASCADE");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.target.exec("CREATE TABLE cutover.mine (id int)");
  const auto refused = move.way.clean();
  EXPECT_TRUE(exits(refused, 2));
  EXPECT_THAT(text_of(refused), HasSubstr("table cutover.mine"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM cutover.mine"), "0");
  move.target.exec("DROP TABLE cutover.mine");
  EXPECT_TRUE(exits(move.way.clean(), 0));
}

TEST(ReservedSchema, WhatWasBuiltOnTheLedgerIsNotCleanedAway) {
  const Move move("CREATE TABLE t (id int)");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.target.exec("CREATE VIEW progress AS SELECT * FROM cutover.chunk");
  const auto refused = move.way.clean();
  EXPECT_TRUE(exits(refused, 2));
  EXPECT_THAT(text_of(refused),
              AllOf(HasSubstr("cannot drop table cutover.chunk because other objects depend on it"),
                    HasSubstr("nothing was dropped")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM progress"), "1");
  EXPECT_TRUE(exits(move.copy(), 0)) << "the run directory is there too";
  move.target.exec("DROP VIEW progress");
  EXPECT_TRUE(exits(move.way.clean(), 0));
}

// At either side, at every level, after a copy and without: not compared is not equal.
TEST(ReservedSchema, WhatIsInItLeavesAComparisonUnverified) {
  const Move move("CREATE TABLE kept (id int PRIMARY KEY)", "CREATE TABLE kept (id int PRIMARY KEY)");
  ASSERT_TRUE(exits(move.copy({"--schema", "none"}), 0));
  const auto compare = [&](bool with_source, const Arguments& more) {
    return verify::test::compare(with_source ? move.source.url() : "", move.target.url(), more);
  };
  const Arguments after_copy{"--run-dir", move.way.run_dir()};
  // The ledger's own tables are none of the user's.
  EXPECT_EQ(compare(true, {}).code(), 0);
  EXPECT_EQ(compare(false, after_copy).code(), 0);
  for (const bool at_source : {true, false}) {
    const auto& there = at_source ? move.source : move.target;
    there.exec("CREATE SCHEMA IF NOT EXISTS cutover; CREATE TABLE cutover.mine (id int)");
    for (const auto* level : {"catalog", "counts", "digests", "rows"}) {
      const auto verdict = compare(true, {"--level", level});
      EXPECT_EQ(verdict.code(), 3) << level << verdict.text();
      EXPECT_THAT(verdict.remarks("unchecked"),
                  Contains(HasSubstr("table cutover.mine: is in the schema cutover")));
    }
    EXPECT_EQ(compare(true, after_copy).code(), 3);
    EXPECT_EQ(compare(false, after_copy).code(), at_source ? 0 : 3);
    const auto without = compare(true, {"--exclude", "cutover"});
    EXPECT_EQ(without.code(), 0) << without.text();
    EXPECT_THAT(without.remarks("skipped"), Contains("table cutover.mine: left out by --exclude"));
    EXPECT_THAT(without.remarks("notes"), IsEmpty());
    there.exec("DROP TABLE cutover.mine");
  }
}

}  // namespace
}  // namespace copy::test
