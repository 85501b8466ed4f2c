#include <fstream>

#include "base/file.h"
#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// A run directory belongs to one process, one source, one target and one schema.
namespace crash {
namespace {

using testing::AllOf;
using Digest = std::map<std::string, std::string>;

TEST(RunDirectory, ASecondProcessIsRefusedAndDisturbsNothing) {
  Move move;
  fill(move.source);
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(5));
  auto other = move.arguments();
  move.source_url = proxy.url(move.source.name());
  const auto first = move.start();
  wait_for("the first", [&] { return proxy.held() == 2; });
  const auto before = move.ledger();
  const auto second = support::cutover(other);
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.error, HasSubstr(std::to_string(first->pid())));
  other.emplace_back("--restart");
  EXPECT_EQ(support::cutover(other).exit_code, 2);
  proxy.release();
  const auto result = first->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move.expect_equal();
  Move::expect_kept(before, move.ledger());
}

// In a container the program has the same pid each time.
TEST(RunDirectory, OneOfTheSamePidThatIsRefusedLeavesTheOthersFilesAlone) {
  Move move;
  fill(move.source);
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(5));
  move.source_url = proxy.url(move.source.name());
  const auto first = move.start();
  wait_for("the first", [&] { return proxy.held() == 2 && fs::exists(move.run_dir / "status.json"); });
  const auto lock = move.run_dir / "lock";
  const auto owner = base::read_file(lock);
  // The lock's file gets the pid of a process that becomes the other one.
  std::vector<std::string> arguments{"-c", R"(lock=$1; shift; echo $$ > "$lock"; exec "$@")", "sh",
                                     lock.string(), support::cutover_program().string()};
  const auto other = move.arguments();
  arguments.insert(arguments.end(), other.begin(), other.end());
  const auto refused = support::run("/bin/sh", arguments);
  EXPECT_EQ(refused.exit_code, 2) << refused.output << refused.error;
  EXPECT_THAT(refused.error, HasSubstr("is in use by process "));
  EXPECT_FALSE(fs::exists(move.run_dir / "report.json"));
  EXPECT_THAT(base::read_file(move.run_dir / "status.json"),
              HasSubstr(fmt::format(R"("pid":{})", first->pid())));
  std::ofstream(lock) << owner;
  proxy.release();
  EXPECT_EQ(first->wait().exit_code, 0);
  EXPECT_TRUE(fs::exists(move.run_dir / "report.json"));
}

class OtherSide : public testing::TestWithParam<std::string> {
 protected:
  Move move_;
  Move other_;
  void SetUp() override {
    fill(move_.source);
    ASSERT_NO_FATAL_FAILURE(move_.crash_at(GetParam()));
  }
  void expect_refused(const std::string& word) {
    const auto before = support::database_digest(other_.target.url());
    const auto ours = support::database_digest(move_.target.url());
    const auto ledger = move_.ledger();
    const auto result = move_.run();
    EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
    EXPECT_THAT(result.error, HasSubstr(word));
    EXPECT_EQ(support::database_digest(other_.target.url()), before);
    EXPECT_EQ(support::database_digest(move_.target.url()), ours);
    EXPECT_EQ(move_.ledger(), ledger);
    move_.source_url = move_.source.url();
    move_.target_url = move_.target.url();
    move_.settle();
  }
};

TEST_P(OtherSide, Source) {
  fill(other_.source);
  move_.source_url = other_.source.url();
  expect_refused("another database");
}
TEST_P(OtherSide, EmptyTarget) {
  move_.target_url = other_.target.url();
  expect_refused("the target does not know this run");
}
// The other target has a ledger too, of another run.
TEST_P(OtherSide, TargetOfAnotherRun) {
  other_.source.exec("CREATE TABLE other (id int); INSERT INTO other VALUES (1)");
  ASSERT_EQ(other_.run().exit_code, 0);
  move_.target_url = other_.target.url();
  expect_refused("the target does not know this run");
}

INSTANTIATE_TEST_SUITE_P(After, OtherSide,
                         testing::Values("ledger_commit.after:5", "checkpoint_rename.after"),
                         [](const auto& test) {
                           return std::string(test.index == 0 ? "SomeChunks" : "AllChunks");
                         });

// Killed before the first chunk: no ledger row, and so nothing to tell by, but what is on a target must be
// looked at.
TEST(RunDirectory, ATargetWithRowsIsRefusedBeforeTheFirstChunk) {
  Move move;
  Move other;
  fill(move.source);
  ASSERT_NO_FATAL_FAILURE(move.crash_at("chunk_copy.before"));
  other.target.exec(
      "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, customer bigint, note text, "
      "amount numeric(12, 2)); INSERT INTO shop.orders VALUES (-1)");
  const auto before = support::database_digest(other.target.url());
  move.target_url = other.target.url();
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
  EXPECT_EQ(support::database_digest(other.target.url()), before);
  move.target_url = move.target.url();
  move.settle();
}

// A finished run says nothing about another target.
TEST(RunDirectory, AFinishedRunIsNotTheAnswerForAnotherTarget) {
  Move move;
  const Move other;
  fill(move.source);
  ASSERT_EQ(move.run().exit_code, 0);
  move.target_url = other.target.url();
  EXPECT_EQ(move.run().exit_code, 2);
  move.target_url = move.target.url();
  move.source_url = other.source.url();
  EXPECT_EQ(move.run().exit_code, 2);
  move.source_url = move.source.url();
  move.settle();
}

TEST(RunDirectory, TheLedgerWasDropped) {
  Move move;
  fill(move.source);
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:8"));
  move.target.exec("DROP SCHEMA cutover CASCADE");
  const auto before = support::database_digest(move.target.url());
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, AllOf(HasSubstr("ledger"), HasSubstr("hint"), HasSubstr("--restart")));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

struct SchemaChange {
  const char* name;
  const char* sql;
  const char* named;
};

class SchemaChanges : public testing::TestWithParam<SchemaChange> {};

TEST_P(SchemaChanges, AreNamedAndNeedARestart) {
  Move move;
  fill(move.source);
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:8"));
  const auto before = move.ledger();
  move.source.exec(GetParam().sql);
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
  EXPECT_THAT(result.error, AllOf(HasSubstr(GetParam().named), HasSubstr("--restart")));
  EXPECT_EQ(move.ledger(), before);
  const auto restarted = move.run({"--restart"});
  EXPECT_EQ(restarted.exit_code, 0) << restarted.error;
  move.expect_equal();
}

INSTANTIATE_TEST_SUITE_P(
    Every, SchemaChanges,
    testing::Values(
        SchemaChange{"ColumnAdded", "ALTER TABLE shop.orders ADD COLUMN extra int DEFAULT 5", "shop.orders"},
        SchemaChange{"ColumnDropped", "ALTER TABLE shop.keys DROP COLUMN middle", "shop.keys"},
        SchemaChange{"ColumnType", "ALTER TABLE shop.keys ALTER small TYPE bigint", "shop.keys"},
        SchemaChange{"TableAdded", "CREATE TABLE shop.fresh (id int)", "shop.fresh"},
        SchemaChange{"TableDropped", "DROP TABLE shop.lines", "shop.lines"},
        SchemaChange{"IndexAdded", "CREATE INDEX orders_amount ON shop.orders (amount)", "orders_amount"},
        SchemaChange{"IndexDropped", "DROP INDEX shop.orders_note", "orders_note"},
        SchemaChange{"ViewAdded", "CREATE VIEW shop.rich AS SELECT * FROM shop.orders",
                     "view shop.rich is new"},
        SchemaChange{"FunctionChanged",
                     "CREATE OR REPLACE FUNCTION shop.shout() RETURNS trigger LANGUAGE plpgsql AS "
                     "$$ BEGIN RETURN NEW; END $$",
                     "function shop.shout() was changed"},
        SchemaChange{"TriggerDropped", "DROP TRIGGER shout ON shop.orders",
                     "trigger shop.orders shout is gone"},
        SchemaChange{"GrantAdded", "GRANT SELECT ON shop.orders TO PUBLIC", "acl shop.TABLE orders is new"},
        SchemaChange{"SequenceAdded", "CREATE SEQUENCE shop.more", "shop.more"}),
    [](const auto& test) { return std::string(test.param.name); });

// Refused means: nothing was changed.
TEST(RunDirectory, AChangedSourceIsRefusedBeforeTheTargetIsTouched) {
  Move move;
  fill(move.source);
  ASSERT_NO_FATAL_FAILURE(move.crash_at("journal_append.after:3"));
  move.source.exec("ALTER TABLE shop.keys DROP COLUMN middle");
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 2) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("shop.keys"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname IN ('shop', 'cutover')"), "0");
}

}  // namespace
}  // namespace crash
