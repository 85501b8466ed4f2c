#include <csignal>
#include <functional>
#include <optional>

#include <nlohmann/json.hpp>

#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// Either server restarted in the middle of a run.
namespace crash {
namespace {

// With fsync, as on a real server. Commits that nobody waits for stay in these buffers while the WAL writer
// does not run.
const support::ClusterOptions kForgetful{{"fsync = on", "wal_buffers = '64MB'", "max_wal_size = '4GB'"}};

// A crash empties it. Larger than any other table, so it is copied first; one chunk, since its heap is one
// block.
constexpr const char* kCache =
    "CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, body text); "
    "ALTER TABLE cache ALTER body SET STORAGE EXTERNAL; "
    "INSERT INTO cache SELECT i, repeat(md5(i::text), 4000) FROM generate_series(1, 64) i; "
    "CREATE UNLOGGED SEQUENCE hits; SELECT setval('hits', 77)";

class Servers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_.emplace(15);
    target_.emplace(15, kForgetful);
  }
  static void TearDownTestSuite() {
    source_.reset();
    target_.reset();
  }

  static support::Cluster& source() { return *source_; }
  static support::Cluster& target() { return *target_; }

  // 40 chunks of the big table; a worker that is about to load the 20th or a later one waits while `act` is
  // done.
  void in_the_middle(const std::function<void()>& act, bool change = false, bool forget = false) {
    Move move(source(), target());
    fill(move.source);
    move.source.exec(
        "CREATE TABLE big (id int PRIMARY KEY, body text); "
        "INSERT INTO big SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 30000) i");
    move.source.exec(kCache);
    Proxy proxy(target().port(), "COPY \"public\".\"big\"", hold_from(20));
    move.target_url = proxy.url(move.target.name());
    if (forget) stop_wal_writer();
    const auto process = move.start();
    wait_for("both workers", [&] { return proxy.held() == 2; });
    const auto before = move.ledger();
    EXPECT_GE(before.size(), 18U);
    if (change) move.source.exec(kChanges);
    act();
    proxy.release();
    const auto result = process->wait();
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_THAT(result.error, HasSubstr("trying again"));
    move.expect_equal();
    if (!change) survived_ = kept(before, move.ledger());
  }

  /// Until the server is killed.
  static void stop_wal_writer() {
    const auto pid =
        target().value("postgres", "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
    ASSERT_EQ(kill(std::stoi(pid), SIGSTOP), 0);
  }

  /// Every commit survives it.
  static void crash_the_target_durably() {
    target().exec("postgres", "CHECKPOINT");
    target().restart(support::StopMode::immediate);
  }

  static size_t kept(const Chunks& before, const Chunks& after) {
    size_t count = 0;
    for (const auto& [key, transaction] : before) count += after.at(key) == transaction ? 1 : 0;
    return count;
  }

  size_t survived_ = 0;

 private:
  static inline std::optional<support::Cluster> source_;
  static inline std::optional<support::Cluster> target_;
};

TEST_F(Servers, SourceRestartedFast) {
  in_the_middle([] { source().restart(); });
  EXPECT_GE(survived_, 18U);
}
TEST_F(Servers, SourceRestartedImmediate) {
  in_the_middle([] { source().restart(support::StopMode::immediate); });
  EXPECT_GE(survived_, 18U);
}
TEST_F(Servers, SourceChangedAndRestarted) {
  in_the_middle([] { source().restart(); }, true);
}
TEST_F(Servers, TargetRestartedFast) {
  in_the_middle([] { target().restart(); });
  EXPECT_GE(survived_, 18U);
}
TEST_F(Servers, TargetRestartedImmediate) {
  in_the_middle([] { target().restart(support::StopMode::immediate); });
}

// Chunks are lost that the journal has, and the process did not end: the ledger decides.
TEST_F(Servers, TargetCrashesAndForgetsCommittedChunks) {
  in_the_middle(
      [] {
        target().kill9();
        target().start();
      },
      false, true);
  EXPECT_LT(survived_, 18U) << "nothing was lost: the test does not test anything";
}

TEST_F(Servers, BothAtOnceWithChanges) {
  in_the_middle(
      [] {
        source().restart(support::StopMode::immediate);
        target().kill9();
        target().start();
      },
      true, true);
}

// At the very end, when the sequences are set: no ledger row tells of those.
TEST_F(Servers, TargetCrashesAndForgetsTheEnd) {
  Move move(source(), target());
  fill(move.source);
  Proxy proxy(target().port(), "SET finished_at = pg_catalog.now()", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  stop_wal_writer();
  const auto process = move.start();
  wait_for("the end", [&] { return proxy.held() == 1; });
  target().kill9();
  target().start();
  proxy.release();
  const auto result = process->wait();
  if (result.exit_code == 0) {
    move.expect_equal();
    return;
  }
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error, HasSubstr("lost work of this run"));
  move.target_url = move.target.url();
  move.settle();
}

// After what made it durable that the key is there, and before what makes its validation durable.
TEST_F(Servers, TargetCrashesAndForgetsThatAForeignKeyWasValidated) {
  Move move(source(), target());
  move.source.exec(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p); CREATE TABLE "
      "t "
      "(a int); CREATE MATERIALIZED VIEW v AS SELECT * FROM t; INSERT INTO p VALUES (1); INSERT INTO c "
      "VALUES "
      "(1)");
  Proxy proxy(target().port(), "VALIDATE CONSTRAINT", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  stop_wal_writer();
  const auto process = move.start();
  wait_for("the validation", [&] { return proxy.held() == 1; });
  target().exec("postgres", "CHECKPOINT");
  support::Session holder(move.target.url());
  holder.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  proxy.release();
  move.target.wait_until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "t");
  target().kill9();
  target().start();
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "f");
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("lost work of this run, among it: fk constraint public.c fk"));
  move.target_url = move.target.url();
  move.settle();
}

// Nothing but what is unlogged is lost, when all of it was proven.
TEST_F(Servers, TargetCrashesAtTheEndAndEmptiesUnloggedTables) {
  Move move(source(), target());
  fill(move.source);
  move.source.exec(kCache);
  Proxy proxy(target().port(), "SET finished_at = pg_catalog.now()", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  const auto process = move.start();
  wait_for("the end", [&] { return proxy.held() == 1; });
  crash_the_target_durably();
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.output,
              HasSubstr("what was in the unlogged table public.cache, what was in the unlogged "
                        "sequence public.hits"));
  move.target_url = move.target.url();
  move.settle();
}

// A standby takes over that has heard of every chunk, and not of the end. It has no mark, either.
TEST_F(Servers, AnotherServerTakesOverThatHasNotHeardOfTheEnd) {
  Move move(source(), target());
  fill(move.source);
  Proxy proxy(target().port(), "SET finished_at = pg_catalog.now()", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  const auto process = move.start();
  wait_for("the end", [&] { return proxy.held() == 1; });
  move.target.exec("TRUNCATE cutover.crash_mark; SELECT setval('shop.numbers', 1)");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 3) << result.output << result.error;
  EXPECT_THAT(result.output, HasSubstr("values of sequences"));
  move.target_url = move.target.url();
  move.settle();
}

TEST_F(Servers, TargetCrashesWhenUnloggedTablesAreProvenAndIsFilledAgain) {
  Move move(source(), target());
  fill(move.source);
  move.source.exec(kCache);
  Proxy proxy(target().port(), "orders_note", hold_from(1));
  move.target_url = proxy.url(move.target.name());
  const auto process = move.start();
  wait_for("the proofs", [&] {
    const auto status = nlohmann::json::parse(contents(move.run_dir / "status.json"), nullptr, false);
    return proxy.held() == 1 && status.is_object() && status.value("proofs_total", 0) > 0 &&
           status.value("proofs_done", 0) == status.value("proofs_total", 0);
  });
  crash_the_target_durably();
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.error, HasSubstr("emptied its unlogged tables: 1 chunks"));
  move.expect_equal();
}

// The process is gone too, and only the next one can notice.
TEST_F(Servers, TargetEmptiesUnloggedTablesWhileNobodyRuns) {
  Move move(source(), target());
  fill(move.source);
  move.source.exec(kCache);
  move.options = {"--jobs", "1", "--split-size", "16kB"};
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:10"));
  crash_the_target_durably();
  const auto said = move.settle_changed();
  EXPECT_THAT(said, HasSubstr("emptied its unlogged tables: 1 chunks"));
}

// No success is said of tables that are empty by now.
TEST_F(Servers, TargetEmptiesUnloggedTablesBehindAFinishedRun) {
  Move move(source(), target());
  move.source.exec(kCache);
  ASSERT_EQ(move.run().exit_code, 0);
  EXPECT_EQ(move.run().exit_code, 0);
  crash_the_target_durably();
  const auto again = move.run();
  EXPECT_EQ(again.exit_code, 3) << again.output << again.error;
  EXPECT_THAT(again.error,
              testing::AllOf(HasSubstr("what was in the unlogged table public.cache is not there"),
                             HasSubstr("cutover repair")));
}

// The same, but the process is killed as well and only the journal knows of the lost chunks.
TEST_F(Servers, TargetForgetsChunksWhileNobodyRuns) {
  Move move(source(), target());
  fill(move.source);
  move.options = {"--jobs", "1", "--split-size", "16kB"};
  stop_wal_writer();
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:40"));
  const auto before = move.ledger().size();
  target().kill9();
  target().start();
  const auto after = move.ledger().size();
  EXPECT_LT(after, before);
  const auto said = move.settle();
  EXPECT_THAT(said, HasSubstr("not on the target"));
}

}  // namespace
}  // namespace crash
