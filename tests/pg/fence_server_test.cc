#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/catalog.h"
#include "pg/fence.h"
#include "tests/base/matchers.h"
#include "tests/pg/open.h"
#include "tests/support/sql.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FenceServer : public ::testing::TestWithParam<int> {
 protected:
  static const support::Cluster& cluster() { return support::cluster(GetParam()); }
  void SetUp() override {
    database_.exec("CREATE TABLE t (x int)");
    settle();
  }

  std::string row() const {
    return database_.value(
        "SELECT coalesce((SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 0 AND "
        "setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())), '')");
  }
  std::string schemas() const {
    return database_.value("SELECT count(*)::text FROM pg_namespace WHERE nspname = 'cutover'");
  }
  void set_database(const std::string& setting) const {
    database_.exec("BEGIN READ WRITE; ALTER DATABASE " + database_.name() + " SET " + setting + "; COMMIT");
  }
  /// A session that has ended is seen for a moment longer; one that is older than the fence would count.
  void settle() {
    for (int i = 0; i < 500; ++i) {
      const auto others = connection_.exec(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
      if (others.rows() == 0) return;
      base::Stop().sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "there are other sessions";
  }
  void insert() const { support::Session(database_.url()).exec("INSERT INTO t VALUES (1)"); }

  support::TestDatabase database_{cluster()};
  Connection connection_ = test::open(database_);
};

INSTANTIATE_TEST_SUITE_P(Majors, FenceServer, ::testing::Values(12, 15, 18),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(FenceServer, RefusesAWriterAndLeavesNothingBehind) {
  EXPECT_FALSE(inspect_fence(connection_).up());
  raise_fence(connection_);
  EXPECT_THAT([&] { insert(); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("read-only transaction")));
  EXPECT_TRUE(inspect_fence(connection_).holds());
  EXPECT_EQ(lower_fence(connection_), Lowered::restored);
  EXPECT_NO_THROW(insert());
  EXPECT_EQ(row(), "");
  EXPECT_EQ(schemas(), "0");
  EXPECT_EQ(lower_fence(connection_), Lowered::not_there);
}

TEST_P(FenceServer, RestoresAFormerValueAsItWasWritten) {
  set_database("work_mem TO '5MB'");
  set_database("default_transaction_read_only TO 'No'");
  set_database("lock_timeout TO '9s'");
  const auto before = row();
  raise_fence(connection_);
  EXPECT_THAT(row(), HasSubstr("default_transaction_read_only=on"));
  EXPECT_EQ(inspect_fence(connection_).note->former, "No");
  raise_fence(connection_);  // does not take its own setting for the former one
  EXPECT_EQ(lower_fence(connection_), Lowered::restored);
  EXPECT_EQ(row(), before);
}

TEST_P(FenceServer, KeepsWhatSomebodyElseSaid) {
  set_database("default_transaction_read_only TO on");
  EXPECT_FALSE(inspect_fence(connection_).up());
  EXPECT_THAT([&] { lower_fence(connection_); },
              throws(ErrorKind::usage, AllOf(HasSubstr("not by a fence of ours"), HasSubstr("RESET"))));
  raise_fence(connection_);
  EXPECT_TRUE(inspect_fence(connection_).up());
  set_database("default_transaction_read_only TO off");
  EXPECT_FALSE(inspect_fence(connection_).up());
  EXPECT_EQ(lower_fence(connection_), Lowered::kept);
  EXPECT_THAT(row(), HasSubstr("default_transaction_read_only=off"));
  EXPECT_EQ(schemas(), "0");
}

TEST_P(FenceServer, ShowsAndEndsSessionsThatCanStillWrite) {
  support::Session older(database_.url());
  older.exec("SET application_name = 'older'; SET default_transaction_read_only = off");
  raise_fence(connection_);
  support::Session held(database_.url());
  held.exec("SET application_name = 'held'");
  support::Session unruly(database_.url());
  unruly.exec("SET application_name = 'unruly'; SET default_transaction_read_only = off");
  unruly.exec("BEGIN; INSERT INTO t VALUES (2)");
  const auto fence = inspect_fence(connection_);
  ASSERT_THAT(fence.sessions, ElementsAre(::testing::Field(&OpenSession::application, "older"),
                                          AllOf(::testing::Field(&OpenSession::application, "unruly"),
                                                ::testing::Field(&OpenSession::writing, true))));
  EXPECT_FALSE(fence.holds());
  EXPECT_NO_THROW(older.exec("INSERT INTO t VALUES (1)"));
  EXPECT_THAT(end_sessions(connection_, fence.sessions), IsEmpty());
  EXPECT_TRUE(inspect_fence(connection_).holds());
  EXPECT_THROW(older.exec("INSERT INTO t VALUES (1)"), std::runtime_error);
  EXPECT_NO_THROW(held.exec("SELECT 1"));
}

TEST_P(FenceServer, AFenceThatWasInterruptedTrustsNoSession) {
  settle();
  raise_fence(connection_);
  support::Session later(database_.url());
  later.exec("SET application_name = 'later'");
  const auto is_later = ::testing::Contains(::testing::Field(&OpenSession::application, "later"));
  EXPECT_TRUE(inspect_fence(connection_).holds());
  // As if the run had died between its two transactions.
  database_.exec(
      "BEGIN READ WRITE; DO $$BEGIN EXECUTE format('COMMENT ON SCHEMA cutover IS %L', "
      "regexp_replace(obj_description('cutover'::regnamespace, 'pg_namespace'), 'since [^;]*', "
      "'since infinity')); END$$; COMMIT");
  EXPECT_THAT(inspect_fence(connection_).sessions, is_later);
  raise_fence(connection_);
  EXPECT_THAT(inspect_fence(connection_).sessions, is_later) << "it began before the fence was whole";
}

TEST_P(FenceServer, NamesTheGaps) {
  const support::TestRole role(cluster());
  database_.exec("ALTER ROLE " + role.name() + " IN DATABASE " + database_.name() +
                 " SET default_transaction_read_only = off");
  database_.exec(
      "CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false); "
      "UPDATE pg_subscription SET subenabled = true");
  settle();
  raise_fence(connection_);
  EXPECT_THAT(inspect_fence(connection_).gaps,
              ElementsAre(AllOf(HasSubstr(role.name()), HasSubstr("RESET default_transaction_read_only")),
                          HasSubstr("subscription sub")));
  database_.exec(
      "BEGIN READ WRITE; UPDATE pg_subscription SET subenabled = false; ALTER SUBSCRIPTION sub SET "
      "(slot_name = NONE); DROP "
      "SUBSCRIPTION "
      "sub; ALTER ROLE " +
      role.name() + " IN DATABASE " + database_.name() + " RESET default_transaction_read_only; COMMIT");
  EXPECT_TRUE(inspect_fence(connection_).holds());
  auto with_option = Connection(
      Conninfo::parse(database_.url()).with("options", "-c default_transaction_read_only=off"), base::Stop());
  EXPECT_THAT(inspect_fence(with_option).gaps, ElementsAre(HasSubstr("a new session as postgres can write")));
}

TEST_P(FenceServer, NeedsTheOwnerAndNoMore) {
  const support::TestRole owner(cluster());
  const support::TestRole other(cluster());
  const support::TestDatabase database(cluster(), "OWNER " + owner.name());
  auto as_other = test::connect(database.url(other.name()));
  EXPECT_THAT([&] { raise_fence(as_other); },
              throws(ErrorKind::usage, AllOf(HasSubstr("only its owner can fence"), HasSubstr(owner.name()),
                                             HasSubstr("hint: connect as"))));
  const auto of_other = fence_rights(as_other);
  ASSERT_EQ(of_other.missing.size(), 2U) << "to own it, and CREATE";
  EXPECT_THAT(of_other.missing[0].fix, HasSubstr("GRANT \"" + owner.name() + "\" TO"));
  EXPECT_EQ(of_other.over_sessions.size(), 2U);
  auto as_owner = test::connect(database.url(owner.name()));
  EXPECT_THAT(fence_rights(as_owner).missing, IsEmpty());
  EXPECT_THAT(fence_rights(connection_).over_sessions, IsEmpty()) << "a superuser";
  raise_fence(as_owner);
  EXPECT_TRUE(inspect_fence(as_owner).up());
  // What it may not see counts as a session that can write.
  const support::Session hidden(database.url());
  const auto fence = inspect_fence(as_owner);
  ASSERT_FALSE(fence.sessions.empty());
  EXPECT_EQ(fence.sessions.back().began, "");
  EXPECT_THAT(end_sessions(as_owner, {fence.sessions.back()}),
              ElementsAre(HasSubstr("cannot be ended by us")));
  EXPECT_THROW(lower_fence(as_other), base::Error);
  EXPECT_EQ(lower_fence(as_owner), Lowered::restored);
}

TEST_P(FenceServer, IsNoPartOfTheDatabasesSettings) {
  const auto settings = [&] {
    std::vector<std::string> out;
    for (const auto& setting : read_catalog(connection_).database.settings) out.push_back(setting.setting);
    return out;
  };
  set_database("work_mem TO '5MB'");
  raise_fence(connection_);
  EXPECT_THAT(settings(), ElementsAre("work_mem=5MB"));
  lower_fence(connection_);
  set_database("default_transaction_read_only TO off");
  raise_fence(connection_);
  EXPECT_THAT(settings(), ElementsAre("default_transaction_read_only=off", "work_mem=5MB"));
}

}  // namespace
}  // namespace pg
