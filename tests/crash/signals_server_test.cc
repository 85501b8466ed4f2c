#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// Asked to stop, and what a process that was killed left running.
namespace crash {
namespace {

class Signals : public testing::TestWithParam<int> {
 protected:
  Move move_;
  void SetUp() override { fill(move_.source); }
};

TEST_P(Signals, StopsCleanlyAndResumes) {
  move_.options = {"--jobs", "2", "--split-size", "16kB"};
  Proxy proxy(move_.source.cluster().port(), "TO STDOUT", hold_from(20));
  move_.source_url = proxy.url(move_.source.name());
  const auto process = move_.start();
  wait_for("both workers", [&] { return proxy.held() == 2; });
  process->kill(GetParam());
  process->wait_for_output("stopping cleanly");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 4) << result.error;
  move_.expect_no_sessions();
  EXPECT_GE(move_.ledger().size(), 18U);
  move_.source_url = move_.source.url();
  move_.settle();
}

INSTANTIATE_TEST_SUITE_P(Both, Signals, testing::Values(SIGINT, SIGTERM), [](const auto& test) {
  return std::string(test.param == SIGINT ? "SIGINT" : "SIGTERM");
});

// The engine waits for the reply to a request to cancel, which does not come.
TEST(SignalTwice, QuitsAtOnceAndStillResumes) {
  Move move;
  fill(move.source);
  Proxy proxy(move.source.cluster().port(), "TO STDOUT", hold_from(3));
  move.source_url = proxy.url(move.source.name());
  const auto process = move.start();
  wait_for("both workers", [&] { return proxy.held() == 2; });
  proxy.freeze();
  process->kill(SIGINT);
  process->wait_for_output("stopping cleanly");
  process->kill(SIGINT);
  EXPECT_EQ(process->wait().exit_code, 130);
  proxy.reset();
  move.source_url = move.source.url();
  move.settle();
}

TEST(SignalEarly, DuringTheSchema) {
  Move move;
  fill(move.source);
  Proxy proxy(move.target.cluster().port(), R"(CREATE TABLE "shop"."lines")", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  const auto process = move.start();
  wait_for("a statement on its way", [&] { return proxy.held() == 1; });
  process->kill(SIGINT);
  process->wait_for_output("stopping cleanly");
  proxy.release();
  EXPECT_EQ(process->wait().exit_code, 4) << process->error();
  move.expect_no_sessions();
  move.target_url = move.target.url();
  move.settle();
}

// CREATE INDEX goes on at the server when its client is killed: the resumed run must not wait for it, nor
// fail.
TEST(Leftovers, AnIndexBuildOfAKilledProcessIsEnded) {
  Move move;
  move.source.exec(
      "CREATE FUNCTION public.slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
      "PERFORM pg_catalog.pg_advisory_xact_lock_shared(7); RETURN $1; END $$;"
      "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);"
      "CREATE INDEX t_slow ON t (public.slow(id))");
  support::Session gate(move.target.url());
  gate.exec("SELECT pg_advisory_lock(7)");
  const auto building =
      "SELECT coalesce(max(pid)::text, '') FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX _t_slow%' "
      "AND wait_event_type = 'Lock' AND datname = current_database()";
  std::string old;
  {
    const auto process = move.start();
    wait_for("the index build",
             [&] { return !(old = move.target.value(building)).empty() || !process->running(); });
    process->kill(SIGKILL);
    process->wait();
  }
  ASSERT_EQ(move.target.value(building), old) << "the build ended with its client: nothing to test";
  const auto process = move.start();
  wait_for("the end of the old build", [&] {
    const auto now = move.target.value(building);
    return (!now.empty() && now != old) || !process->running();
  });
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + old), "0");
  gate.exec("SELECT pg_advisory_unlock(7)");
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move.expect_equal();
}

}  // namespace
}  // namespace crash
