#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pg/activity.h"
#include "tests/support/cluster.h"
#include "tests/support/sql.h"

// What the server's counters know of writes, and what they must not take for one.

namespace pg {
namespace {

class ActivityOfAServer : public ::testing::TestWithParam<int> {
 protected:
  ActivityOfAServer() {
    database_.exec(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); CREATE SEQUENCE "
        "s; "
        "CREATE TABLE gone (id int); INSERT INTO gone VALUES (1)");
    last_ = look();
  }
  Activity look() const { return read_activity(Conninfo::parse(database_.url()), {}); }
  /// Since the last look. Looks again, and lets `meanwhile` go on, until it is known.
  Writes writes(const std::function<void()>& meanwhile = [] {}) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto end = look();
    auto later = end;
    auto found = writes_between(last_, end, later);
    while (found.writes == Writes::untold && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      meanwhile();
      later = look();
      found = writes_between(last_, end, later);
    }
    last_ = later;
    return found.writes;
  }
  /// By a session that ends.
  Writes writes_of(const std::string& sql) {
    support::Session(database_.url()).exec(sql);
    return writes();
  }

  support::TestDatabase database_{support::cluster(GetParam(), "source")};
  Activity last_;
};

TEST_P(ActivityOfAServer, CountsWhatChangesRows) {
  for (const auto* sql :
       {"INSERT INTO t VALUES (0)", "UPDATE t SET id = -1 WHERE id = 0", "DELETE FROM t WHERE id = -1",
        "TRUNCATE gone", "SELECT lo_from_bytea(4711, 'x')", "CREATE TABLE more (id int)", "DROP TABLE more"})
    EXPECT_EQ(writes_of(sql), Writes::some) << sql;
}

// Only the first of 32 values is logged, and needs a transaction id.
TEST_P(ActivityOfAServer, CountsEveryValueOfASequence) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(writes_of("SELECT nextval('s')"), Writes::some) << i;
  EXPECT_EQ(writes_of("SELECT setval('s', 2)"), Writes::some);
  EXPECT_EQ(writes_of("SELECT last_value FROM s"), Writes::none);
}

TEST_P(ActivityOfAServer, CountsNothingElse) {
  for (const auto* sql : {"SELECT count(*) FROM t", "ANALYZE", "VACUUM", "SELECT txid_current()"})
    EXPECT_EQ(writes_of(sql), Writes::none) << sql;
  const support::TestDatabase other(support::cluster(GetParam(), "source"));
  other.exec("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  EXPECT_EQ(writes(), Writes::none) << "another database's";
}

// It tells the counters when it likes: at the end of a later transaction, if not before.
TEST_P(ActivityOfAServer, WaitsForASessionThatStays) {
  support::Session staying(database_.url());
  staying.exec("SELECT 1");
  last_ = look();
  staying.exec("INSERT INTO t VALUES (0)");
  EXPECT_EQ(writes([&] { staying.exec("SELECT 1"); }), Writes::some);
  // Whoever is in a transaction keeps to himself what was committed before.
  staying.exec("SELECT txid_current()");
  staying.exec("BEGIN");
  const auto end = look();
  EXPECT_EQ(writes_between(last_, end, end).writes, Writes::untold);
  EXPECT_EQ(writes_between(last_, end, end).untold.at(0).pid, staying.backend_pid());
}

INSTANTIATE_TEST_SUITE_P(Majors, ActivityOfAServer, ::testing::Values(12, 15, 18),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace pg
