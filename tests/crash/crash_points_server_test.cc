#include <cctype>

#include "tests/crash/fixture.h"

// kill -9 at every named crash point, in the early, middle and late passes, then the same command again.
namespace crash {
namespace {

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  auto name = info.param;
  for (auto& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

class CrashPoint : public testing::TestWithParam<std::string> {
 protected:
  Move move_;
  void SetUp() override { fill(move_.source); }
};

TEST_P(CrashPoint, ResumesWithTheSourceUnchanged) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(GetParam()));
  const auto had = move_.ledger().size();
  const auto said = move_.settle();
  if (had > 0 && !GetParam().starts_with("checkpoint_rename.before:2") &&
      !GetParam().starts_with("checkpoint_rename.after:2")) {
    EXPECT_THAT(said, HasSubstr("nothing was committed at the source since"));
  }
  // And there is nothing left to do.
  EXPECT_THAT(move_.settle(), HasSubstr("copied by an earlier run"));
}

INSTANTIATE_TEST_SUITE_P(Every, CrashPoint,
                         testing::Values("plan_written.before", "plan_written.after",                     //
                                         "journal_append.before", "journal_append.after",                 //
                                         "journal_append.before:2", "journal_append.after:2",             //
                                         "journal_append.before:3", "journal_append.after:9",             //
                                         "chunk_copy.before", "chunk_copy.before:9", "chunk_copy.after",  //
                                         "chunk_copy.after:9", "ledger_commit.before",
                                         "ledger_commit.before:9",                        //
                                         "ledger_commit.after", "ledger_commit.after:9",  //
                                         "index_start.before", "index_start.after",
                                         "index_start.before:4",                                 //
                                         "checkpoint_rename.before", "checkpoint_rename.after",  //
                                         "constraint_add.before", "constraint_add.after",        //
                                         "constraint_add.before:6", "constraint_add.after:6",    //
                                         "sequences.before", "sequences.after",                  //
                                         "checkpoint_rename.before:2", "checkpoint_rename.after:2"),
                         test_name);

// Killed between the first records; without a schema to dump, the next process goes on from what is there.
TEST(CrashAtTheStart, OfARunOfRowsOnly) {
  for (const auto* point : {"journal_append.after", "journal_append.after:2"}) {
    Move move;
    move.options = {"--schema", "none"};
    constexpr const char* kTable = "CREATE TABLE t (id int PRIMARY KEY)";
    move.source.exec(kTable);
    move.source.exec("INSERT INTO t SELECT generate_series(1, 100)");
    move.target.exec(kTable);
    ASSERT_NO_FATAL_FAILURE(move.crash_at(point));
    move.settle();
  }
}

// What a killed process has proven is proven again: somebody else may have written to the target since.
TEST(CrashThenWrite, AProofIsNotBelievedAfterwards) {
  Move move;
  fill(move.source);
  ASSERT_NO_FATAL_FAILURE(move.crash_at("constraint_add.before"));
  move.target.exec("UPDATE shop.keys SET middle = 7 WHERE small = 0");
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 1) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("shop.keys"));
}

class CrashThenChange : public CrashPoint {};

TEST_P(CrashThenChange, EndsAtTheSourceAsItIsNow) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(GetParam()));
  const auto before = move_.ledger();
  move_.source.exec(kChanges);
  const auto result = move_.run();
  ASSERT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("the source was written to since"));
  move_.expect_equal();

  const auto after = move_.ledger();
  for (const auto& [key, transaction] : before) {
    const auto& [name, relation, chunk] = key;
    const bool changed = name == "shop.customers" || name == "shop.lines" || name == "shop.empty" ||
                         name == "large objects" || (name == "shop.orders" && chunk == "0");
    const bool kept = name == "shop.keys" || name == "shop.nothing" ||
                      (name == "shop.orders" && (chunk == "1" || chunk == "2" || chunk == "3"));
    if (changed) {
      EXPECT_NE(after.at(key), transaction) << name << " #" << chunk << " is stale";
    }
    if (kept) {
      EXPECT_EQ(after.at(key), transaction) << name << " #" << chunk << " was copied again";
    }
  }
}

// A crash in the middle of taking stale chunks away, and another one in copying them again.
TEST_P(CrashThenChange, CrashesAgainOnTheWay) {
  ASSERT_NO_FATAL_FAILURE(move_.crash_at(GetParam()));
  move_.source.exec(kChanges);
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("journal_append.after:4"));
  move_.source.exec(
      "ALTER TABLE shop.orders DISABLE TRIGGER shout; UPDATE shop.orders SET amount = -1 WHERE id % 1000 = 0;"
      "ALTER TABLE shop.orders ENABLE TRIGGER shout; REFRESH MATERIALIZED VIEW shop.totals; UPDATE shop.keys "
      "SET middle = 5");
  ASSERT_NO_FATAL_FAILURE(move_.crash_at("ledger_commit.after"));
  move_.settle_changed();
}

INSTANTIATE_TEST_SUITE_P(Some, CrashThenChange,
                         testing::Values("chunk_copy.after:6", "ledger_commit.after:9",
                                         "checkpoint_rename.after", "constraint_add.after:6",
                                         "sequences.before", "sequences.after"),
                         test_name);

TEST(CrashThenChangeMore, LargeObjectsThatAreNew) {
  Move move;
  move.source.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after"));
  move.source.exec("SELECT lo_from_bytea(777, 'new')");
  const auto result = move.run();
  if (result.exit_code == 0) {
    move.expect_equal();
  } else {
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.error, testing::AllOf(HasSubstr("large objects"), HasSubstr("--restart")));
  }
}

}  // namespace
}  // namespace crash
