#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// Tables that are truncated or rewritten at the source while they are copied: a snapshot does not protect
// from that.
namespace crash {
namespace {

// The session that holds the snapshot: the first one by the run's name.
constexpr const char* kEndKeeper =
    "SELECT pg_terminate_backend(pid, 5000) FROM (SELECT pid FROM pg_stat_activity WHERE application_name "
    "LIKE 'cutover _%' AND datname = current_database() ORDER BY backend_start LIMIT 1) keeper";

class Rewrite : public testing::TestWithParam<std::string> {
 protected:
  Move move_;
  void SetUp() override {
    fill(move_.source);
    // Many tables, so that shop.customers, a small one, comes late.
    move_.options = {"--jobs", "1", "--split-size", "128kB"};
  }
};

// The keeper holds a lock that makes it wait, and everybody else behind it; so it is let through.
TEST_P(Rewrite, IsLetThroughAndFailsItsTable) {
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(2));
  const auto direct = move_.source_url;
  move_.source_url = proxy.url(move_.source.name());
  const auto process = move_.start();
  wait_for("the worker", [&] { return proxy.held() == 1; });
  support::exec_url(direct, GetParam());
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error,
              testing::AllOf(HasSubstr("wants shop.keys for itself"),
                             HasSubstr("copy shop.keys: the table was truncated or rewritten")));
  move_.source_url = direct;
  move_.settle_changed();
}

// Without the lock, because the keeper's session was ended: the table fails, the others do not.
TEST_P(Rewrite, IsNoticedWhereNothingHindersIt) {
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(2));
  const auto direct = move_.source_url;
  move_.source_url = proxy.url(move_.source.name());
  const auto process = move_.start();
  wait_for("the worker", [&] { return proxy.held() == 1; });
  move_.source.exec(kEndKeeper);
  support::exec_url(direct, GetParam());
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error, testing::AllOf(HasSubstr("shop.keys"), HasSubstr("truncated or rewritten")));
  move_.source_url = direct;
  move_.settle_changed();
}

INSTANTIATE_TEST_SUITE_P(By, Rewrite, testing::Values("TRUNCATE shop.keys", "VACUUM FULL shop.keys"),
                         [](const auto& test) {
                           return std::string(test.index == 0 ? "Truncate" : "VacuumFull");
                         });

// The only worker is in the middle of the first table when the statements are executed at the source.
support::ProcessResult changed_while_read(Move& move, std::string_view statements) {
  fill(move.source);
  move.options = {"--jobs", "1", "--split-size", "128kB"};
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(2));
  const auto direct = std::exchange(move.source_url, proxy.url(move.source.name()));
  const auto process = move.start();
  wait_for("the worker", [&] { return proxy.held() == 1; });
  support::exec_url(direct, std::string(statements));
  proxy.release();
  return process->wait();
}

TEST(RewriteMore, AChangeThatMovesNoRowsIsLetThroughAndTheCopyGoesOn) {
  Move move;
  const auto result = changed_while_read(move, "ALTER TABLE shop.keys ADD COLUMN later int");
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("wants shop.keys for itself"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM shop.keys"), "3");
}

TEST(RewriteMore, ATableThatGaveItsNameToAnotherIsNotReadForIt) {
  Move move;
  const auto result = changed_while_read(
      move,
      "BEGIN; CREATE TABLE shop.new_keys (LIKE shop.keys); ALTER TABLE shop.keys RENAME TO old_keys; "
      "ALTER TABLE shop.new_keys RENAME TO keys; COMMIT");
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("copy shop.keys: another table has its name at the source now"));
}

/// shop.keys failed, and the table after it was copied.
void expect_only_keys_failed(const Move& move, const support::ProcessResult& result, const std::string& why) {
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.output, testing::AllOf(HasSubstr("shop.keys"), HasSubstr(why), HasSubstr("--restart")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM shop.keys"), "0");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM shop.nothing"), "1");
}

TEST(RewriteMore, ADroppedTableIsNamedAndTheOthersAreCopied) {
  Move move;
  const auto result = changed_while_read(move, "DROP TABLE shop.keys");
  expect_only_keys_failed(move, result, "dropped or renamed");
}

TEST(RewriteMore, AColumnThatBecameAnotherFailsItsTable) {
  Move move;
  const auto result = changed_while_read(
      move,
      "ALTER TABLE shop.keys DROP COLUMN middle; ALTER TABLE shop.keys ADD COLUMN middle int DEFAULT 7");
  expect_only_keys_failed(move, result, "its columns were changed");
}

TEST(RewriteMore, ASessionThatKeepsATableForItselfIsNamed) {
  Move move;
  fill(move.source);
  move.options = {"--jobs", "1", "--split-size", "128kB"};
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(2));
  const auto direct = move.source_url;
  move.source_url = proxy.url(move.source.name());
  const auto process = move.start({"--retry-for", "1s"});
  wait_for("the worker", [&] { return proxy.held() == 1; });
  support::Session holder(direct);
  holder.exec("SET application_name = 'migration'; BEGIN; LOCK TABLE shop.keys");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr(fmt::format("hint: session {} (migration, user postgres, since ",
                                                  holder.backend_pid())));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM shop.nothing"), "1") << "only that table fails";
  holder.exec("COMMIT");
  move.source_url = direct;
  move.settle_changed();
}

// When they are copied at last, their triggers and the foreign keys of others are on the target already.
TEST(RewriteMore, TablesWithTriggersAndReferencesAreCopiedAtLast) {
  Move move;
  fill(move.source);
  move.source.exec(
      "CREATE FUNCTION shop.shout_name() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;"
      "CREATE TRIGGER louder BEFORE INSERT ON shop.customers FOR EACH ROW EXECUTE FUNCTION "
      "shop.shout_name()");
  move.options = {"--jobs", "1", "--split-size", "128kB"};
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(3));
  const auto direct = move.source_url;
  move.source_url = proxy.url(move.source.name());
  const auto process = move.start();
  wait_for("the worker", [&] { return proxy.held() == 1; });
  move.source.exec(kEndKeeper);
  support::exec_url(direct, "VACUUM FULL shop.customers");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error, testing::AllOf(HasSubstr("shop.customers"), HasSubstr("truncated or rewritten")));
  move.source_url = direct;
  move.settle_changed();
}

}  // namespace
}  // namespace crash
