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
  /// Since the last look.
  Writes writes() {
    const auto earlier = std::exchange(last_, look());
    return writes_between(earlier, last_);
  }
  /// By a session that has ended when it is looked at.
  Writes writes_of(const std::string& sql) {
    {
      support::Session session(database_.url());
      session.exec("SET application_name = 'writer'");
      session.exec(sql);
    }
    database_.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'writer'");
    return writes();
  }

  support::TestDatabase database_{support::cluster(GetParam(), "source")};
  Activity last_;
};

TEST_P(ActivityOfAServer, CountsWhatChangesRows) {
  for (const auto* sql : {"INSERT INTO t VALUES (0)", "UPDATE t SET id = -1 WHERE id = 0",
                          "DELETE FROM t WHERE id = -1", "TRUNCATE gone", "SELECT lo_from_bytea(4711, 'x')",
                          "SELECT nextval('s')", "CREATE TABLE more (id int)", "DROP TABLE more"})
    EXPECT_EQ(writes_of(sql), Writes::some) << sql;
}

TEST_P(ActivityOfAServer, CountsNothingElse) {
  EXPECT_EQ(writes_of("SELECT count(*) FROM t"), Writes::none);
  for (const auto* sql : {"ANALYZE", "VACUUM", "SELECT txid_current()"})
    EXPECT_NE(writes_of(sql), Writes::some) << sql;
  const support::TestDatabase other(support::cluster(GetParam(), "source"));
  other.exec("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  EXPECT_NE(writes(), Writes::some) << "another database's";
}

INSTANTIATE_TEST_SUITE_P(Majors, ActivityOfAServer, ::testing::Values(12, 15, 18),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace pg
