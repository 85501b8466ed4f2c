#include <random>

#include "tests/crash/fixture.h"
#include "tests/crash/proxy.h"

// The faults every such tool must survive: docs/consistency.md promises what is tested here.
namespace crash {
namespace {

TEST(Faults, KilledAgainAndAgainInTheMiddleOfASplitTable) {
  Move move;
  move.options = {"--jobs", "2", "--split-size", "16kB"};
  fill(move.source);
  std::mt19937 random(20240607);  // NOLINT: the same kills in every run
  std::uniform_int_distribution<size_t> steps(1, 6);
  int kills = 0;
  for (; kills < 10; ++kills) {
    const auto before = move.ledger();
    const auto process = move.start();
    const auto wanted = before.size() + steps(random);
    wait_for("progress", [&] { return !process->running() || move.chunk_count() >= wanted; });
    if (!process->running()) {
      EXPECT_EQ(process->wait().exit_code, 0) << process->error();
      break;
    }
    process->kill(SIGKILL);
    EXPECT_EQ(process->wait().exit_code, 128 + SIGKILL);
    Move::expect_kept(before, move.ledger());
  }
  EXPECT_GE(kills, 3) << "too quick to mean anything";
  move.settle();
}

// Rows of 2.5 kB that need little room on disk; the one with the mark is in the middle.
void fill_wide(const Move& move) {
  move.source.exec(
      "CREATE TABLE wide (id int PRIMARY KEY, body text);"
      "INSERT INTO wide SELECT i, CASE WHEN i = 2000 THEN 'THE-MARKED-ROW' ELSE repeat(md5(i::text), 80) END "
      "FROM generate_series(1, 16000) i");
}

class Terminated : public testing::Test {
 protected:
  Move move_;
  void SetUp() override { fill_wide(move_); }
  /// In small chunks, by one worker.
  void make_rows_only() {
    move_.target.exec("CREATE TABLE wide (id int PRIMARY KEY, body text)");
    move_.options = {"--jobs", "1", "--split-size", "128kB", "--schema", "none"};
  }
  /// The oldest sessions at the source; the first is the one that keeps the snapshot.
  static constexpr const char* kEnd =
      "SELECT pg_terminate_backend(pid, 5000) FROM (SELECT pid FROM pg_stat_activity WHERE application_name "
      "LIKE 'cutover%' AND datname = current_database() ORDER BY backend_start LIMIT {}) session";
  /// Ends a backend of `side` that is in the middle of a COPY, for certain. The source has moved on by then,
  /// which the snapshot does not show.
  void terminate_in(const support::TestDatabase& side, const std::string& direction) {
    const auto at_the_snapshot = support::database_digest(move_.source.url());
    Proxy proxy(move_.target.cluster().port(), "THE-MARKED-ROW", hold_from(1));
    move_.target_url = proxy.url(move_.target.name());
    const auto process = move_.start();
    wait_for("the marked row", [&] { return proxy.held() == 1; });
    move_.source.exec("UPDATE wide SET body = 'new' WHERE id % 2 = 0; DELETE FROM wide WHERE id > 15000");
    wait_for("the end of a backend", [&] {
      return side.exec(
                     "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
                     "'cutover %' "
                     "AND state = 'active' AND query LIKE 'COPY%" +
                     direction + "%' AND datname = current_database()")
                 .size() == 1;
    });
    proxy.release();
    const auto result = process->wait();
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_THAT(result.error, HasSubstr("trying again"));
    EXPECT_EQ(support::database_digest(move_.target.url()), at_the_snapshot);
  }
};

TEST_F(Terminated, SourceBackendInMidCopy) { terminate_in(move_.source, "TO STDOUT"); }
TEST_F(Terminated, TargetBackendInMidCopy) { terminate_in(move_.target, "FROM STDIN"); }

// Not only the worker, but also the session that holds the snapshot: a new snapshot is taken.
TEST_F(Terminated, EverySourceSessionAtOnce) {
  Proxy proxy(move_.target.cluster().port(), "THE-MARKED-ROW", hold_from(1));
  move_.target_url = proxy.url(move_.target.name());
  const auto process = move_.start();
  wait_for("the marked row", [&] { return proxy.held() == 1; });
  move_.source.exec(
      "UPDATE wide SET body = 'new' WHERE id < 3; "
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cutover%' "
      "AND datname = current_database()");
  proxy.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  move_.expect_equal();
}

// And the next snapshot too, while what the target has is compared with it.
TEST_F(Terminated, EverySourceSessionAtOnceAndTheNextSnapshotsToo) {
  make_rows_only();
  Proxy target(move_.target.cluster().port(), "THE-MARKED-ROW", hold_from(1));
  move_.target_url = target.url(move_.target.name());
  // Imported by the worker, by the same one when it comes back, and then by the one that compares: its keeper
  // is the oldest session.
  Proxy source(move_.source.cluster().port(), "SET TRANSACTION SNAPSHOT", [&](int n) {
    if (n == 3) move_.source.exec(fmt::format(kEnd, 1));
    return Proxy::Verdict::forward;
  });
  move_.source_url = source.url(move_.source.name());
  const auto process = move_.start();
  wait_for("the marked row", [&] { return target.held() == 1; });
  EXPECT_GT(move_.chunk_count(), 0U);
  move_.source.exec("UPDATE wide SET body = 'new' WHERE id < 3; " + fmt::format(kEnd, "ALL"));
  target.release();
  const auto result = process->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  constexpr const char* kGone = "the source's snapshot is gone";
  EXPECT_NE(result.error.find(kGone), result.error.rfind(kGone)) << "only once: " << result.error;
  move_.expect_equal();
}

// Nor is it the end of a process that has just begun to compare.
TEST_F(Terminated, TheSnapshotOfTheNextProcessWhileItCompares) {
  make_rows_only();
  {
    Proxy target(move_.target.cluster().port(), "THE-MARKED-ROW", hold_from(1));
    move_.target_url = target.url(move_.target.name());
    const auto process = move_.start();
    wait_for("the marked row", [&] { return target.held() == 1; });
    process->kill(SIGKILL);
    process->wait();
  }
  EXPECT_GT(move_.chunk_count(), 0U);
  move_.source.exec("UPDATE wide SET body = 'new' WHERE id < 3");
  Proxy source(move_.source.cluster().port(), "SET TRANSACTION SNAPSHOT", [&](int n) {
    if (n == 1) move_.source.exec(fmt::format(kEnd, 1));
    return Proxy::Verdict::forward;
  });
  move_.source_url = source.url(move_.source.name());
  move_.target_url = move_.target.url();
  const auto result = move_.start()->wait();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("the source's snapshot is gone"));
  move_.expect_equal();
}

TEST(Faults, RowSecurityIsAnErrorNotAnEmptyTable) {
  const auto& from = support::cluster(15, "source");
  const support::TestRole role(from);
  Move move(from);
  move.source.exec(
      "CREATE TABLE secret (id int); INSERT INTO secret VALUES (1), (2); ALTER TABLE secret ENABLE ROW LEVEL "
      "SECURITY;"
      "GRANT SELECT ON secret TO " +
      role.name());
  move.source_url = move.source.url(role.name());
  const auto refused = move.run();
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_THAT(refused.error, testing::AllOf(HasSubstr("public.secret"), HasSubstr("BYPASSRLS")));
  EXPECT_EQ(move.target.value("SELECT to_regclass('secret') IS NULL"), "t");
  move.source.exec("REVOKE ALL ON secret FROM " + role.name());
  move.source_url = move.source.url();
  move.settle();
}

TEST(Faults, RowSecuritySwitchedOnInTheMiddle) {
  const auto& from = support::cluster(15, "source");
  const support::TestRole role(from);
  Move move(from);
  fill(move.source);
  const auto grants = fmt::format(
      "GRANT USAGE ON SCHEMA shop TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {0};"
      "GRANT SELECT ON ALL SEQUENCES IN SCHEMA shop TO {0}; "
      "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
      role.name());
  move.source.exec(grants);
  move.source_url = move.source.url(role.name());
  move.options.insert(move.options.end(), {"--no-grants", "--no-owners"});
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:3"));
  move.source.exec("ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY");
  const auto refused = move.run();
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.error, HasSubstr("shop.orders"));
  move.source.exec("ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY");
  const auto result = move.run();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(support::database_digest(move.source.url()), support::database_digest(move.target.url()));
  move.source.exec(fmt::format("DROP OWNED BY {}", role.name()));
}

TEST(Faults, DifferentTimezonesAndDateStyles) {
  Move move;
  fill(move.source);
  move.source.exec(fmt::format(
      "ALTER DATABASE {0} SET timezone = 'Asia/Kathmandu'; ALTER DATABASE {0} SET datestyle = 'SQL, DMY'",
      move.source.name()));
  move.target.exec(fmt::format(
      "ALTER DATABASE {0} SET timezone = 'America/St_Johns'; ALTER DATABASE {0} SET datestyle = 'German';"
      "ALTER DATABASE {0} SET intervalstyle = 'iso_8601'; ALTER DATABASE {0} SET extra_float_digits = 0",
      move.target.name()));
  move.source.exec(
      "SET timezone = 'UTC'; CREATE TABLE moments (at timestamptz, day date, took interval, x float8);"
      "INSERT INTO moments SELECT '1847-11-30 23:59:59.999999Z'::timestamptz + i * interval '31 days 7 "
      "hours', "
      "'0044-03-15 BC'::date + i, i * interval '-1 mon 3 days 04:05:06.7', pi() * i FROM generate_series(1, "
      "3000) i;"
      "CREATE INDEX ON moments (at)");
  ASSERT_NO_FATAL_FAILURE(move.crash_at("ledger_commit.after:5"));
  move.settle();
}

}  // namespace
}  // namespace crash
