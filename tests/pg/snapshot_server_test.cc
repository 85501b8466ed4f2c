#include <csignal>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/snapshot.h"
#include "tests/base/matchers.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"
#include "tests/support/sql.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;

class SnapshotServer : public ::testing::TestWithParam<int> {
 protected:
  static const support::Cluster& cluster() { return support::cluster(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Majors, SnapshotServer, ::testing::Values(12, 15, 18),
                         [](const auto& test) { return std::to_string(test.param); });

int64_t count(Connection& connection) {
  return connection.exec("SELECT count(*) FROM public.t").integer(0, 0);
}

TEST_P(SnapshotServer, ImportersSeeTheMomentOfTheKeeper) {
  const support::TestDatabase database(cluster());
  database.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  SnapshotKeeper keeper(test::open(database));
  database.exec("INSERT INTO t VALUES (2)");
  auto worker = test::open(database);
  EXPECT_EQ(count(worker), 2);
  import_snapshot(worker, keeper.id(), keeper.mark().transactions);
  EXPECT_EQ(count(worker), 1);
  EXPECT_EQ(count(keeper.connection()), 1);
  auto later = test::open(database);
  database.exec("DELETE FROM t");
  import_snapshot(later, keeper.id(), keeper.mark().transactions);
  EXPECT_EQ(count(later), 1);
  EXPECT_EQ(count(worker), 1);
}

TEST_P(SnapshotServer, ItsTransactionsCannotWrite) {
  const support::TestDatabase database(cluster());
  database.exec("CREATE TABLE t (a int)");
  SnapshotKeeper keeper(test::open(database));
  auto worker = test::open(database);
  import_snapshot(worker, keeper.id(), keeper.mark().transactions);
  EXPECT_THAT([&] { worker.exec("INSERT INTO public.t VALUES (1)"); }, throws(ErrorKind::permanent));
  EXPECT_THAT([&] { keeper.connection().exec("INSERT INTO public.t VALUES (1)"); },
              throws(ErrorKind::permanent));
}

TEST_P(SnapshotServer, ASnapshotThatIsGoneCannotBeImported) {
  const support::TestDatabase database(cluster());
  std::string id;
  std::string transactions;
  std::string pid;
  {
    SnapshotKeeper keeper(test::open(database));
    id = keeper.id();
    transactions = keeper.mark().transactions;
    pid = keeper.connection().exec("SELECT pg_catalog.pg_backend_pid()").string(0, 0);
  }
  // Its server process notices a moment later.
  while (database.value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) != "0") {
  }
  for (const auto& gone : {id, std::string("not a snapshot"), std::string("'; --")}) {
    auto worker = test::open(database);
    EXPECT_THAT([&] { import_snapshot(worker, gone, transactions); }, throws(ErrorKind::permanent)) << gone;
  }
}

// Servers count the ids of their snapshots alike, and so does one after its restart.
TEST_P(SnapshotServer, AnotherSnapshotOfThatIdIsNotTakenForIt) {
  const support::TestDatabase database(cluster());
  database.exec("CREATE TABLE t (a int)");
  auto writer = test::connect(database);
  writer.exec("BEGIN; INSERT INTO t VALUES (1)");
  database.exec("INSERT INTO t VALUES (2)");
  const auto recorded = SnapshotKeeper(test::open(database)).mark().transactions;
  writer.exec("COMMIT");
  SnapshotKeeper another(test::open(database));
  auto worker = test::open(database);
  try {
    import_snapshot(worker, another.id(), recorded);
    ADD_FAILURE() << "took " << another.mark().transactions << " for " << recorded;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.sqlstate(), "22023") << error.what();
  }
}

TEST_P(SnapshotServer, PingNoticesThatTheKeeperIsGone) {
  const support::TestDatabase database(cluster());
  SnapshotKeeper keeper(test::open(database));
  EXPECT_NO_THROW(keeper.ping());
  database.exec("SELECT pg_terminate_backend(" + std::to_string(keeper.connection().backend_pid()) + ")");
  EXPECT_THAT(
      [&] {
        for (;;) keeper.ping();
      },
      throws(ErrorKind::transient));
}

TEST_P(SnapshotServer, TheMarkNamesTheDatabase) {
  const support::TestDatabase database(cluster());
  const auto mark = SnapshotKeeper(test::open(database)).mark();
  EXPECT_EQ(std::to_string(mark.database_oid),
            database.value("SELECT oid FROM pg_database WHERE datname = current_database()"));
  EXPECT_EQ(mark.system_identifier, database.value("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_FALSE(mark.lsn.empty());
}

TEST_P(SnapshotServer, AMarkWithoutTheRightToTheControlFileStillCompares) {
  const support::TestRole role(cluster());
  const support::TestDatabase database(cluster());
  database.exec("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  const auto mark = [&] {
    return SnapshotKeeper(open_session(Conninfo::parse(database.url(role.name())), {}, base::Stop())).mark();
  };
  const auto first = mark();
  EXPECT_EQ(first.system_identifier, "");
  EXPECT_TRUE(mark().unchanged_since(first));
}

TEST_P(SnapshotServer, UnchangedUntilSomethingIsWritten) {
  const support::TestDatabase database(cluster());
  const support::TestDatabase other(cluster());
  database.exec("CREATE TABLE t (a int)");
  const auto mark = [&] { return SnapshotKeeper(test::open(database)).mark(); };
  auto first = mark();
  EXPECT_TRUE(mark().unchanged_since(first));
  database.exec("SELECT count(*) FROM t");
  database.exec("CHECKPOINT");
  EXPECT_TRUE(mark().unchanged_since(first)) << "reading and checkpoints do not count";
  EXPECT_FALSE(SnapshotKeeper(test::open(other)).mark().unchanged_since(first));

  database.exec("INSERT INTO t VALUES (1)");
  EXPECT_FALSE(mark().unchanged_since(first));
  first = mark();
  database.exec("TRUNCATE t");
  EXPECT_FALSE(mark().unchanged_since(first));
  first = mark();
  database.exec("BEGIN; INSERT INTO t VALUES (1); ROLLBACK");
  EXPECT_FALSE(mark().unchanged_since(first)) << "a rollback counts too, to be on the safe side";
  first = mark();
  database.exec("SELECT lo_create(0)");
  EXPECT_FALSE(mark().unchanged_since(first));
  first = mark();
  other.exec("CREATE TABLE t ()");
  EXPECT_FALSE(mark().unchanged_since(first));
}

TEST_P(SnapshotServer, ARestartACrashAndAFailoverProveNothing) {
  support::Cluster own(GetParam());
  own.create_database("app");
  const auto mark = [&] {
    return SnapshotKeeper(open_session(Conninfo::parse(own.url("app")), {}, base::Stop())).mark();
  };
  auto first = mark();
  EXPECT_TRUE(mark().unchanged_since(first));
  const auto changed = [&] {
    auto now = mark();
    now.transactions = first.transactions;
    const bool same = now.unchanged_since(first);
    first = now;
    return !same;
  };
  own.restart();
  EXPECT_TRUE(changed());
  // One process of the server dies, and it recovers without being started anew. What was committed
  // asynchronously may be gone.
  {
    support::Session session(own.url("app"));
    ASSERT_EQ(kill(session.backend_pid(), SIGKILL), 0);
    EXPECT_THROW(session.exec("SELECT 1"), std::runtime_error);
  }
  own.wait_until("app", "SELECT true");
  EXPECT_TRUE(changed());
  // What a promotion does: WAL is written on a new timeline.
  own.stop();
  own.add_setting("restore_command = 'false'");
  std::ofstream(own.data_directory() / "recovery.signal");
  own.start();
  own.wait_until("app", "SELECT NOT pg_is_in_recovery()");
  EXPECT_EQ(mark().timeline, "00000002");
  EXPECT_TRUE(changed());
}

// A snapshot tells of the newest transaction only when it has ended: "100:100:" with 100 in progress.
TEST_P(SnapshotServer, ATransactionInProgressCountsWhenItCommits) {
  const support::TestDatabase database(cluster());
  database.exec("CREATE TABLE t (a int)");
  const auto mark = [&] { return SnapshotKeeper(test::open(database)).mark(); };
  auto writer = test::connect(database);
  writer.exec("BEGIN; INSERT INTO t VALUES (1)");
  auto first = mark();
  EXPECT_TRUE(mark().unchanged_since(first)) << "nothing has been committed";
  writer.exec("COMMIT");
  EXPECT_FALSE(mark().unchanged_since(first));

  writer.exec("BEGIN; INSERT INTO t VALUES (2)");
  database.exec("INSERT INTO t VALUES (3)");
  first = mark();
  EXPECT_FALSE(mark().unchanged_since(first)) << "an older one is in progress";
  writer.exec("COMMIT");
  EXPECT_FALSE(mark().unchanged_since(first));
}

TEST_P(SnapshotServer, APreparedTransactionCountsWhenItCommits) {
  const support::TestDatabase database(cluster());
  database.exec("CREATE TABLE t (a int)");
  database.exec("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'pending'");
  const auto mark = [&] { return SnapshotKeeper(test::open(database)).mark(); };
  const auto first = mark();
  database.exec("COMMIT PREPARED 'pending'");
  EXPECT_FALSE(mark().unchanged_since(first));
}

}  // namespace
}  // namespace pg
