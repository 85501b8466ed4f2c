#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/session.h"
#include "tests/base/matchers.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;

class SessionServer : public ::testing::TestWithParam<int> {
 protected:
  static const support::Cluster& cluster() { return support::cluster(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Majors, SessionServer, ::testing::Values(12, 15, 18),
                         [](const auto& test) { return std::to_string(test.param); });

// Everything a database or a role can be set to that changes what a value looks like.
const std::map<std::string, std::string>& hostile_settings() {
  static const std::map<std::string, std::string> settings = {
      {"TimeZone", "'Asia/Tokyo'"},
      {"DateStyle", "'German, DMY'"},
      {"IntervalStyle", "'iso_8601'"},
      {"bytea_output", "'escape'"},
      {"extra_float_digits", "'-5'"},
      {"statement_timeout", "'10s'"},
      {"lock_timeout", "'10s'"},
      {"idle_in_transaction_session_timeout", "'10s'"},
      {"search_path", "'trap, public'"},
      {"xmlbinary", "'hex'"},
      {"xmloption", "'document'"},
      {"array_nulls", "'off'"},
      {"standard_conforming_strings", "'off'"},
      {"quote_all_identifiers", "'on'"},
      {"default_transaction_read_only", "'on'"},
      {"row_security", "'on'"},
      {"client_min_messages", "'debug5'"},
  };
  return settings;
}

void expect_pinned_values(Connection& connection) {
  const auto value = [&](const std::string& expression) {
    return connection.exec("SELECT (" + expression + ")::pg_catalog.text").string(0, 0);
  };
  EXPECT_EQ(value("'2024-01-31 12:00:00+00'::timestamptz"), "2024-01-31 12:00:00+00");
  EXPECT_EQ(value("'2024-02-03'::date"), "2024-02-03");
  EXPECT_EQ(value("'1 day 02:03:04'::interval"), "1 day 02:03:04");
  EXPECT_EQ(value("'\\x00ff'::bytea"), "\\x00ff");
  EXPECT_EQ(value("0.1::float8 + 0.2::float8"), "0.30000000000000004");
  EXPECT_EQ(value("('{a,NULL}'::pg_catalog.text[])[2] IS NULL"), "true");
  EXPECT_EQ(value("'a\\b'"), "a\\b");
  EXPECT_EQ(value("pg_catalog.quote_ident('plain')"), "plain");
  for (const char* timeout : {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"})
    EXPECT_EQ(connection.exec(fmt::format("SHOW {}", timeout)).string(0, 0), "0") << timeout;
  EXPECT_EQ(connection.exec("SHOW row_security").string(0, 0), "off");
}

TEST_P(SessionServer, SettingsOfTheDatabaseDoNotCount) {
  const support::TestDatabase database(cluster());
  for (const auto& [name, setting] : hostile_settings())
    cluster().exec("postgres", fmt::format("ALTER DATABASE {} SET {} = {}", database.name(), name, setting));
  auto connection = test::open(database);
  expect_pinned_values(connection);
  auto target = test::open(database, {.role = Role::target});
  expect_pinned_values(target);
  EXPECT_NO_THROW(target.exec("CREATE TABLE public.t ()"));
}

TEST_P(SessionServer, SettingsOfTheRoleDoNotCount) {
  const support::TestRole role(cluster());
  const support::TestDatabase database(cluster());
  for (const auto& [name, setting] : hostile_settings())
    cluster().exec("postgres", fmt::format("ALTER ROLE {} SET {} = {}", role.name(), name, setting));
  auto connection = open_session(Conninfo::parse(database.url(role.name())), {}, base::Stop());
  expect_pinned_values(connection);
}

TEST_P(SessionServer, TimeoutsOfLaterVersionsAreOff) {
  const support::TestDatabase database(cluster());
  auto connection = test::open(database);
  for (const auto& [setting, since] : {std::pair("idle_session_timeout", 14), {"transaction_timeout", 17}}) {
    if (GetParam() < since) continue;
    EXPECT_EQ(connection.exec(fmt::format("SHOW {}", setting)).string(0, 0), "0") << setting;
  }
}

TEST_P(SessionServer, UnqualifiedNamesFindNothingOfTheUsers) {
  const support::TestDatabase database(cluster());
  database.exec(
      "CREATE TABLE t (); CREATE FUNCTION public.count(int) RETURNS int LANGUAGE sql AS 'SELECT 666'");
  auto connection = test::open(database);
  EXPECT_THAT([&] { connection.exec("SELECT * FROM t"); }, throws(ErrorKind::permanent));
}

TEST_P(SessionServer, RowSecurityThatWouldFilterIsAnError) {
  const support::TestRole role(cluster());
  const support::TestDatabase database(cluster());
  database.exec(
      fmt::format("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); GRANT SELECT ON t TO {0};"
                  "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a = 1)",
                  role.name()));
  auto connection = open_session(Conninfo::parse(database.url(role.name())), {}, base::Stop());
  EXPECT_THAT([&] { connection.exec("SELECT * FROM public.t"); },
              throws(ErrorKind::permanent, HasSubstr("row-level security")));
  EXPECT_THAT([&] { connection.exec("COPY (SELECT * FROM public.t) TO STDOUT"); },
              throws(ErrorKind::permanent, HasSubstr("row-level security")));
  EXPECT_EQ(test::open(database).exec("SELECT * FROM public.t").rows(), 2) << "a superuser bypasses it";
}

TEST_P(SessionServer, SpeaksUtf8UnlessToldOtherwise) {
  const support::TestDatabase database(cluster(),
                                       "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  database.exec("CREATE TABLE t (a text); INSERT INTO t VALUES (chr(228))");
  EXPECT_EQ(test::open(database).exec("SELECT a FROM public.t").string(0, 0), "ä");
  EXPECT_EQ(test::open(database, {.client_encoding = "LATIN1"}).exec("SELECT a FROM public.t").string(0, 0),
            "\xe4");
}

TEST_P(SessionServer, OptionsOfATargetSession) {
  const support::TestDatabase database(cluster());
  auto connection = test::open(database, {.role = Role::target,
                                          .application_name = "cutover run 17",
                                          .asynchronous_commit = true,
                                          .replica_role = true});
  EXPECT_EQ(connection.exec("SHOW application_name").string(0, 0), "cutover run 17");
  EXPECT_EQ(connection.exec("SHOW synchronous_commit").string(0, 0), "off");
  EXPECT_EQ(connection.exec("SHOW session_replication_role").string(0, 0), "replica");
  EXPECT_EQ(test::open(database).exec("SHOW synchronous_commit").string(0, 0), "on");
}

}  // namespace
}  // namespace pg
