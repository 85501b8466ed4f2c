#include <csignal>
#include <fstream>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/connection.h"
#include "tests/base/matchers.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The error that `body` throws.
template <typename Body>
base::Error error_of(Body body) {
  try {
    body();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return base::Error(ErrorKind::permanent, "none");
}

// ------------------------------------------------------------------------------------------ connecting

TEST(ConnectionServer, KnowsWhereItIs) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  EXPECT_EQ(connection.major(), 15);
  EXPECT_EQ(connection.database(), database.name());
  EXPECT_EQ(std::to_string(connection.backend_pid()),
            connection.exec("SELECT pg_backend_pid()").string(0, 0));
  EXPECT_TRUE(connection.alive());
}

TEST(ConnectionServer, AWrongPasswordIsTheUsersBusinessAndIsNotShown) {
  support::Cluster cluster(15);
  cluster.exec("postgres", "CREATE ROLE app LOGIN PASSWORD 'right-one'");
  cluster.require_password("app");
  EXPECT_NO_THROW(test::connect(cluster.url("postgres", "app", "right-one")));
  EXPECT_THAT([&] { test::connect(cluster.url("postgres", "app", "wrong-one")); },
              throws(ErrorKind::usage, AllOf(HasSubstr("password authentication failed"),
                                             HasSubstr("hint: check the"), Not(HasSubstr("wrong-one")))));
  EXPECT_THAT([&] { test::connect(cluster.url("postgres", "app")); },
              throws(ErrorKind::usage, HasSubstr("no password supplied")));
}

TEST(ConnectionServer, RefusalsAreUsageErrors) {
  const auto& cluster = support::cluster();
  const support::TestRole nologin(cluster, "NOLOGIN");
  const support::TestRole stranger(cluster, "LOGIN");
  const support::TestDatabase closed(cluster);
  closed.exec(fmt::format("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", closed.name()));
  EXPECT_THAT([&] { test::connect(cluster.url("nowhere")); },
              throws(ErrorKind::usage, HasSubstr(R"(database "nowhere" does not exist)")));
  EXPECT_THAT([&] { test::connect(cluster.url("postgres", "nobody")); },
              throws(ErrorKind::usage, HasSubstr(R"(role "nobody" does not exist)")));
  EXPECT_THAT([&] { test::connect(cluster.url("postgres", nologin.name())); }, throws(ErrorKind::usage));
  EXPECT_THAT([&] { test::connect(closed.url(stranger.name())); }, throws(ErrorKind::usage));
  EXPECT_THAT([&] { test::connect(cluster.url() + "?sslmode=require"); }, throws(ErrorKind::usage));
  EXPECT_THAT([&] { test::connect(cluster.url() + "?sslmode=nonsense"); }, throws(ErrorKind::usage));
}

TEST(ConnectionServer, AServerThatIsNotThereIsTransientAndAUsageErrorAtFirst) {
  support::Cluster cluster(15);
  const auto url = cluster.url();
  cluster.stop();
  EXPECT_THAT([&] { test::connect(url); },
              throws(ErrorKind::transient, HasSubstr("hint: is the server running")));
  EXPECT_THAT([&] { open_first_session(Conninfo::parse(url), {}, base::Stop()); }, throws(ErrorKind::usage));
  cluster.start();
  EXPECT_NO_THROW(test::connect(url));
}

TEST(ConnectionServer, AnUnknownHostIsTransient) {
  EXPECT_THAT([] { test::connect("postgres://u@no-such-host.invalid/d"); },
              throws(ErrorKind::transient, HasSubstr("no-such-host.invalid")));
}

TEST(ConnectionServer, NoSessionLeftIsTransient) {
  support::Cluster cluster(15, {.settings = {"max_connections = 4", "superuser_reserved_connections = 0",
                                             "max_wal_senders = 0", "wal_level = replica"}});
  std::vector<Connection> all;
  EXPECT_THAT(
      [&] {
        for (;;) all.push_back(test::connect(cluster.url()));
      },
      throws(ErrorKind::transient, HasSubstr("too many clients")));
}

// ---------------------------------------------------------------------------------------- statements

TEST(ConnectionServer, ReadsValues) {
  auto connection = test::connect(support::cluster().url());
  const auto row =
      connection.exec("SELECT 'a b', NULL, '', 42, -9223372036854775808, true, false, 'r'::\"char\"");
  EXPECT_EQ(row.rows(), 1);
  EXPECT_EQ(row.string(0, 0), "a b");
  EXPECT_TRUE(row.is_null(0, 1));
  EXPECT_EQ(row.optional_text(0, 1), std::nullopt);
  EXPECT_EQ(row.optional_text(0, 2), "");
  EXPECT_EQ(row.integer(0, 3), 42);
  EXPECT_EQ(row.integer(0, 4), std::numeric_limits<int64_t>::min());
  EXPECT_TRUE(row.boolean(0, 5));
  EXPECT_FALSE(row.boolean(0, 6));
  EXPECT_EQ(row.character(0, 7), 'r');
  EXPECT_EQ(row.character(0, 2), '\0');
  EXPECT_THAT([&] { (void)row.integer(0, 0); }, throws(ErrorKind::permanent));
}

TEST(ConnectionServer, ReadsArrays) {
  auto connection = test::connect(support::cluster().url());
  const auto array = [&](const std::string& sql) { return connection.exec("SELECT " + sql).array(0, 0); };
  EXPECT_THAT(array("'{}'::text[]"), IsEmpty());
  EXPECT_THAT(array("ARRAY['']"), ElementsAre(""));
  EXPECT_THAT(array("ARRAY['a', 'b c', 'd,e', 'f\"g', 'h\\i', '{j}', ' k ']"),
              ElementsAre("a", "b c", "d,e", "f\"g", "h\\i", "{j}", " k "));
  EXPECT_THAT(array("ARRAY['a', NULL, 'NULL', 'null']"), ElementsAre("a", "", "NULL", "null"));
  EXPECT_THAT(array("ARRAY[1, 22]"), ElementsAre("1", "22"));
}

TEST(ConnectionServer, ParametersAreValuesAndNotSql) {
  auto connection = test::connect(support::cluster().url());
  const auto row =
      connection.exec("SELECT $1::text, $2::text IS NULL", {"'; DROP TABLE t; --", std::nullopt});
  EXPECT_EQ(row.string(0, 0), "'; DROP TABLE t; --");
  EXPECT_TRUE(row.boolean(0, 1));
}

TEST(ConnectionServer, SeveralStatementsGiveTheLastResultOrTheFirstError) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  EXPECT_EQ(
      connection.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); DELETE FROM t").affected(), 2U);
  EXPECT_EQ(connection.exec("SELECT 1; SELECT 2").string(0, 0), "2");
  const auto error = error_of([&] { connection.exec("SELECT 1; SELECT 1/0; SELECT * FROM nowhere"); });
  EXPECT_EQ(error.sqlstate(), "22012");
}

TEST(ConnectionServer, ErrorsCarryTheSqlstateAndTheConnectionGoesOn) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  connection.exec("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
  const auto error = error_of([&] { connection.exec("INSERT INTO t VALUES (1)"); });
  EXPECT_EQ(error.kind(), ErrorKind::permanent);
  EXPECT_EQ(error.sqlstate(), "23505");
  EXPECT_THAT(error.message(), HasSubstr("duplicate key"));
  EXPECT_THAT(error.message(), Not(HasSubstr("(a)=(1)"))) << "values stay out of logs";
  EXPECT_EQ(connection.exec("SELECT 1").integer(0, 0), 1);
}

TEST(ConnectionServer, ALockThatIsNotThereInTimeIsTransient) {
  const support::TestDatabase database(support::cluster());
  database.exec("CREATE TABLE t ()");
  auto holder = test::connect(database);
  holder.exec("BEGIN; LOCK TABLE t");
  auto waiter = test::connect(database);
  const auto error = error_of([&] { waiter.exec("SET lock_timeout = 10; LOCK TABLE t"); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_EQ(error.sqlstate(), "55P03");
}

TEST(ConnectionServer, ALargeResultArrivesWhole) {
  auto connection = test::connect(support::cluster().url());
  EXPECT_EQ(connection.exec("SELECT repeat('x', 20000000)").text(0, 0).size(), 20'000'000U);
  const std::string large(20'000'000, 'y');
  EXPECT_EQ(connection.exec("SELECT length($1)", {large}).integer(0, 0), 20'000'000);
}

TEST(ConnectionServer, RowsCanBeVisitedOneByOne) {
  auto connection = test::connect(support::cluster().url());
  std::vector<int64_t> seen;
  const auto visit = [&](const Result& row) {
    EXPECT_EQ(row.rows(), 1);
    seen.push_back(row.integer(0, 0));
  };
  connection.for_each_row("SELECT generate_series(1, 3)", visit);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  seen.clear();
  connection.for_each_row("SELECT 1 WHERE false", visit);
  EXPECT_THAT(seen, IsEmpty());
  EXPECT_THAT([&] { connection.for_each_row("SELECT 6 / (3 - i) FROM generate_series(1, 4) i", visit); },
              throws(ErrorKind::permanent, HasSubstr("division by zero")));
  EXPECT_THAT(seen, ElementsAre(3, 6));
  EXPECT_EQ(connection.exec("SELECT 7").integer(0, 0), 7) << "the session goes on";
}

TEST(ConnectionServer, AVisitThatThrowsIsTheLastAndLeavesTheSessionUsable) {
  auto connection = test::connect(support::cluster().url());
  int visits = 0;
  const auto visit = [&](const Result&) {
    if (++visits == 2) throw std::runtime_error("enough");
  };
  EXPECT_THROW(connection.for_each_row("SELECT generate_series(1, 10000)", visit), std::runtime_error);
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(connection.exec("SELECT 7").integer(0, 0), 7);
}

// ------------------------------------------------------------------------------------------- stopping

TEST(ConnectionServer, AStopCancelsTheStatementOnTheServer) {
  const support::TestDatabase database(support::cluster());
  const base::Stop stop;
  std::optional<Connection> connection(test::connect(database, stop));
  const auto pid = connection->backend_pid();
  const auto begun = std::chrono::steady_clock::now();
  auto statement = std::async(std::launch::async, [&] { connection->exec("SELECT pg_sleep(60)"); });
  database.wait_until(fmt::format(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'", pid));
  stop.request();
  EXPECT_THAT([&] { statement.get(); }, throws(ErrorKind::cancelled));
  database.wait_until(
      fmt::format("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {} AND state = 'active'", pid));
  EXPECT_THAT([&] { connection->exec("SELECT 1"); }, throws(ErrorKind::cancelled));
  connection.reset();
  database.wait_until(fmt::format("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {}", pid));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST(ConnectionServer, AStopRequestedBeforeLetsNothingStart) {
  const support::TestDatabase database(support::cluster());
  const base::Stop stop;
  auto connection = test::connect(database, stop);
  stop.request();
  EXPECT_THAT([&] { connection.exec("CREATE TABLE t ()"); }, throws(ErrorKind::cancelled));
  EXPECT_THAT([&] { test::connect(database, stop); }, throws(ErrorKind::cancelled));
  EXPECT_EQ(database.value("SELECT count(*) FROM pg_tables WHERE tablename = 't'"), "0");
}

// A request to cancel goes to the server's main process by a connection of its own.
TEST(ConnectionServer, AStopDoesNotWaitForAServerThatDoesNotAnswer) {
  support::Cluster cluster(15);
  const base::Stop stop;
  auto connection = test::connect(cluster.url(), stop);
  auto statement = std::async(std::launch::async, [&] { connection.exec("SELECT pg_sleep(60)"); });
  cluster.wait_until("postgres", "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  pid_t postmaster = 0;
  std::ifstream(cluster.data_directory() / "postmaster.pid") >> postmaster;
  ASSERT_EQ(kill(postmaster, SIGSTOP), 0);
  stop.request();
  const auto ended = statement.wait_for(std::chrono::seconds(20));
  kill(postmaster, SIGCONT);
  EXPECT_EQ(ended, std::future_status::ready);
  EXPECT_THAT([&] { statement.get(); }, throws(ErrorKind::cancelled));
}

// ---------------------------------------------------------------------------------- lost connections

TEST(ConnectionServer, ATerminatedBackendIsTransient) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  auto statement = std::async(std::launch::async, [&] { connection.exec("SELECT pg_sleep(60)"); });
  const auto pid = connection.backend_pid();
  database.wait_until(fmt::format(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'", pid));
  database.exec(fmt::format("SELECT pg_terminate_backend({})", pid));
  const auto error = error_of([&] { statement.get(); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_EQ(error.sqlstate(), "57P01");
  EXPECT_FALSE(connection.alive());
  EXPECT_THAT([&] { connection.exec("SELECT 1"); }, throws(ErrorKind::transient));
}

TEST(ConnectionServer, ABackendTerminatedBetweenStatementsIsTransient) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  const auto pid = connection.backend_pid();
  database.exec(fmt::format("SELECT pg_terminate_backend({})", pid));
  database.wait_until(fmt::format("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {}", pid));
  EXPECT_THAT([&] { connection.exec("SELECT 1"); }, throws(ErrorKind::transient));
}

TEST(ConnectionServer, AServerThatDiesIsTransient) {
  support::Cluster cluster(15);
  auto connection = test::connect(cluster.url());
  auto statement = std::async(std::launch::async, [&] { connection.exec("SELECT pg_sleep(60)"); });
  cluster.wait_until("postgres", "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  cluster.kill9();
  EXPECT_THAT([&] { statement.get(); }, throws(ErrorKind::transient));
  EXPECT_THAT([&] { test::connect(cluster.url()); }, throws(ErrorKind::transient));
}

// -------------------------------------------------------------------------------------- transactions

TEST(TransactionServer, IsRolledBackUnlessCommitted) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  connection.exec("CREATE TABLE t (a int)");
  {
    const Transaction transaction(connection);
    connection.exec("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(connection.exec("SELECT count(*) FROM t").integer(0, 0), 0);
  Transaction transaction(connection);
  connection.exec("INSERT INTO t VALUES (1)");
  transaction.commit();
  EXPECT_EQ(connection.exec("SELECT count(*) FROM t").integer(0, 0), 1);
}

TEST(TransactionServer, CommittingAFailedTransactionIsAnError) {
  auto connection = test::connect(support::cluster().url());
  Transaction transaction(connection);
  EXPECT_ANY_THROW(connection.exec("SELECT 1/0"));
  EXPECT_THAT([&] { transaction.commit(); },
              throws(ErrorKind::permanent, HasSubstr("rolled the transaction back")));
}

TEST(TransactionServer, AnErrorOfTheCommitItselfIsNotInDoubt) {
  const support::TestDatabase database(support::cluster());
  auto connection = test::connect(database);
  connection.exec("CREATE TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)");
  Transaction transaction(connection);
  connection.exec("INSERT INTO t VALUES (1), (1)");
  const auto error = error_of([&] { transaction.commit(); });
  EXPECT_EQ(error.kind(), ErrorKind::permanent);
  EXPECT_EQ(error.sqlstate(), "23505");
}

// A deferred trigger ends the session within COMMIT: nothing was committed, and the client cannot know it.
TEST(TransactionServer, ALostReplyIsInDoubtWhenNothingWasCommitted) {
  const support::TestDatabase database(support::cluster());
  database.exec(
      "CREATE TABLE t (a int);"
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
      "EXECUTE FUNCTION die()");
  auto connection = test::connect(database);
  Transaction transaction(connection);
  connection.exec("INSERT INTO t VALUES (1)");
  EXPECT_THAT([&] { transaction.commit(); },
              throws(ErrorKind::in_doubt, HasSubstr("the reply to a commit was lost")));
  EXPECT_EQ(database.value("SELECT count(*) FROM t"), "0");
}

// A commit that waits for a standby that never comes is durable when the session is ended: the same error.
TEST(TransactionServer, ALostReplyIsInDoubtWhenEverythingWasCommitted) {
  support::Cluster cluster(15);
  cluster.exec("postgres", "CREATE TABLE t (a int)");
  cluster.add_setting("synchronous_standby_names = 'nobody'");
  cluster.restart();
  auto connection = test::connect(cluster.url());
  Transaction transaction(connection);
  connection.exec("INSERT INTO t VALUES (1)");
  auto commit = std::async(std::launch::async, [&] { transaction.commit(); });
  const auto pid = connection.backend_pid();
  cluster.wait_until(
      "postgres",
      fmt::format("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {} AND wait_event = 'SyncRep'",
                  pid));
  cluster.exec("postgres", fmt::format("SELECT pg_terminate_backend({})", pid));
  EXPECT_THAT([&] { commit.get(); }, throws(ErrorKind::in_doubt));
  cluster.wait_until("postgres", "SELECT count(*) = 1 FROM t");
}

}  // namespace
}  // namespace pg
