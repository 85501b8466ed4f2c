#include "tests/crash/fixture.h"

// Large objects lie in no table that a run has for itself.
namespace crash {
namespace {

/// Two chunks, and between them and behind them room for others.
constexpr const char* kObjects = R"(
  SELECT lo_from_bytea(4000, convert_to(repeat('first', 9000), 'UTF8')),
         lo_from_bytea(6000, convert_to(repeat('last', 9000), 'UTF8'));
  COMMENT ON LARGE OBJECT 4000 IS 'one';
  CREATE TABLE t AS SELECT 1 AS a)";
constexpr const char* kOfOthers =
    "SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ' ' ORDER BY oid) FROM pg_largeobject_metadata "
    "WHERE "
    "oid IN (4500, 6500)";

class OthersLargeObjects : public testing::Test {
 protected:
  Move move_;
  OthersLargeObjects() {
    move_.options = {"--jobs", "1", "--split-size", "40kB"};
    move_.source.exec(kObjects);
  }
  void others_make_some() const {
    move_.target.exec("SELECT lo_from_bytea(4500, 'mine'), lo_from_bytea(6500, 'too')");
  }
  /// Others' are as they were, and beside them there is what the source has.
  void expect_equal_but_for_those_of_others() const {
    EXPECT_EQ(move_.target.value(kOfOthers), "mine too");
    move_.target.exec("SELECT lo_unlink(4500), lo_unlink(6500)");
    EXPECT_EQ(support::database_digest(move_.source.url()), support::database_digest(move_.target.url()));
  }
};

TEST_F(OthersLargeObjects, StayWhereAChunkIsCopiedAgain) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after:3"));
  ASSERT_EQ(move_.target.value("SELECT count(*) FROM cutover.chunk WHERE name = 'large objects'"), "2");
  others_make_some();
  move_.source.exec("SELECT lo_put(4000, 0, 'changed'), lo_unlink(6000)");
  const auto result = move_.run();
  EXPECT_EQ(result.exit_code, 1) << result.output << result.error;
  EXPECT_THAT(result.output, HasSubstr("large objects"));
  expect_equal_but_for_those_of_others();
}

// Its own are known although their owners, comments and grants were set since.
TEST_F(OthersLargeObjects, StayWhereTheRunStartsOver) {
  ASSERT_EQ(move_.run().exit_code, 0);
  others_make_some();
  const auto result = move_.run({"--restart"});
  EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("large objects: the target has some already"));
  EXPECT_EQ(move_.target.value("SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_largeobject_metadata"),
            "4500 6500");
  EXPECT_EQ(move_.target.value(kOfOthers), "mine too");
}

}  // namespace
}  // namespace crash
