#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// Tables that are truncated or rewritten at the source while they are copied: a snapshot does not protect
// from that.
namespace crash {
namespace {

class Rewrite : public testing::TestWithParam<std::string> {
 protected:
  Move move_;
  void SetUp() override {
    fill(move_.source);
    // Many tables, so that shop.customers, a small one, comes late.
    move_.options = {"--jobs", "1", "--split-size", "128kB"};
  }
};

// The keeper holds a lock that makes it wait; and the workers wait behind it, but not for ever.
TEST_P(Rewrite, WaitsForTheCopyWhichGivesUp) {
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(2));
  const auto direct = move_.source_url;
  move_.source_url = proxy.url(move_.source.name());
  const auto process = move_.start({"--retry-for", "1s"});
  wait_for("the worker", [&] { return proxy.held() == 1; });
  std::jthread ddl([&] { support::exec_url(direct, GetParam()); });
  move_.source.wait_until(
      "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
      "AND wait_event_type = 'Lock' AND query LIKE '%shop.keys%' AND pid <> pg_backend_pid())");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error,
              testing::AllOf(HasSubstr("shop.keys"), HasSubstr("hint: another session at the source")));
  ddl.join();
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
  move_.source.exec(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'cutover' "
      "AND datname = current_database()");
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
  move.source.exec(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'cutover' "
      "AND datname = current_database()");
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
