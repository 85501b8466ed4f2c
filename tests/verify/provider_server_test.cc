// A database at a provider that has things of its own in every database, beside one that nobody manages: what
// is the provider's is named and is no difference, and what is the user's is found beside it.

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAreArray;

struct Provider {
  const char* name;
  std::vector<std::string> roles;  ///< the first one made everything else
  const char* sql;                 ///< {db} is the database's name
  std::vector<std::string>
      definitions;                ///< "kind object property" of what the comparison lists as the provider's
  std::vector<std::string> rows;  ///< "object: why" of what it skips
  friend void PrintTo(const Provider& provider, std::ostream* out) { *out << provider.name; }
};

// Extensions of theirs are not to be had here: another one is given their name.
const std::vector<Provider>& providers() {
  static const std::vector<Provider> all{
      {"Neon",
       {"cloud_admin", "neon_superuser"},
       R"(
         CREATE SCHEMA neon;
         CREATE EXTENSION hstore SCHEMA neon; UPDATE pg_extension SET extname = 'neon' WHERE extname = 'hstore';
         CREATE TABLE neon.health_check (id serial PRIMARY KEY, at timestamptz); INSERT INTO neon.health_check DEFAULT VALUES;
         CREATE VIEW neon.neon_stat AS SELECT 1 AS hits;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO neon_superuser WITH GRANT OPTION;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO neon_superuser WITH GRANT OPTION;
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_export_snapshot() TO neon_superuser;
         GRANT ALL ON SCHEMA public TO neon_superuser;
         GRANT SELECT, INSERT ON public.orders TO neon_superuser)",
       {"default privileges cloud_admin(sequences in public)",
        "default privileges cloud_admin(tables in public)", "extension neon",
        "privileges on a function pg_catalog.pg_export_snapshot()", "schema neon",
        "schema public privileges of neon_superuser", "table public.orders privileges of neon_superuser"},
       {"table neon.health_check: it belongs to the provider",
        "sequence neon.health_check_id_seq: it belongs to the provider"}},
      {"Rds",
       {"rdsadmin", "rds_superuser"},
       R"(
         CREATE SCHEMA rds_tools;
         CREATE EXTENSION hstore SCHEMA rds_tools; UPDATE pg_extension SET extname = 'rds_tools' WHERE extname = 'hstore';
         CREATE TABLE rds_tools.state (id int PRIMARY KEY);
         CREATE FUNCTION rds_tools.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
         CREATE EVENT TRIGGER rds_guard ON ddl_command_end EXECUTE FUNCTION rds_tools.on_ddl();
         ALTER ROLE rdsadmin IN DATABASE {db} SET work_mem = '8MB';
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_reset() TO rds_superuser;
         GRANT SELECT ON pg_catalog.pg_statistic TO rds_superuser;
         GRANT CREATE ON SCHEMA public TO rds_superuser)",
       {"event trigger rds_guard", "extension rds_tools",
        "privileges on a function pg_catalog.pg_stat_reset()",
        "privileges on a relation pg_catalog.pg_statistic", "schema public privileges of rds_superuser",
        "schema rds_tools", "setting work_mem(rdsadmin)"},
       {"table rds_tools.state: it belongs to the provider"}},
      {"Supabase",
       {"supabase_admin", "supabase_functions_admin"},
       R"(
         CREATE SCHEMA graphql;
         CREATE EXTENSION hstore SCHEMA graphql; UPDATE pg_extension SET extname = 'pg_graphql' WHERE extname = 'hstore';
         CREATE SCHEMA graphql_public;
         CREATE FUNCTION graphql_public.graphql() RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
         CREATE SCHEMA realtime;
         CREATE TABLE realtime.messages (id int, at date) PARTITION BY RANGE (at);
         CREATE TABLE realtime.messages_2026 PARTITION OF realtime.messages FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE realtime.subscription (id serial PRIMARY KEY); INSERT INTO realtime.subscription DEFAULT VALUES;
         CREATE SCHEMA supabase_functions;
         CREATE TABLE supabase_functions.hooks (id int PRIMARY KEY);
         CREATE FUNCTION supabase_functions.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
         CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end EXECUTE FUNCTION supabase_functions.on_ddl();
         CREATE PUBLICATION supabase_realtime FOR TABLE realtime.messages;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO supabase_functions_admin;
         GRANT USAGE ON SCHEMA public TO supabase_functions_admin)",
       {"default privileges supabase_admin(tables in public)", "event trigger pgrst_ddl_watch",
        "extension pg_graphql", "publication supabase_realtime", "schema graphql", "schema graphql_public",
        "schema public privileges of supabase_functions_admin", "schema realtime",
        "schema supabase_functions"},
       {"partitioned table realtime.messages: it belongs to the provider",
        "table realtime.messages_2026: it belongs to the provider",
        "table realtime.subscription: it belongs to the provider",
        "sequence realtime.subscription_id_seq: it belongs to the provider",
        "table supabase_functions.hooks: it belongs to the provider"}},
  };
  return all;
}

// The roles have the names that the providers gave them: a server of their own.
const support::Cluster& provider_server() {
  static const support::Cluster& server = []() -> support::Cluster& {
    auto& made = support::cluster(15, "provider");
    for (const auto& provider : providers())
      for (const auto& role : provider.roles)
        made.exec("postgres",
                  fmt::format("CREATE ROLE {} {}", role, role == provider.roles[0] ? "SUPERUSER" : ""));
    return made;
  }();
  return server;
}

std::vector<std::string> of_provider(const Verdict& verdict) {
  std::vector<std::string> out;
  for (const auto& found : verdict.report.at("catalog").at("of_provider")) {
    auto line = found.at("kind").get<std::string>() + " " + found.at("object").get<std::string>();
    if (const auto property = found.at("property").get<std::string>(); !property.empty())
      line += " " + property;
    out.push_back(std::move(line));
  }
  return out;
}

class ManagedDatabase : public ::testing::TestWithParam<Provider> {
 protected:
  ManagedDatabase() {
    for (const auto* database : {&managed, &plain})
      database->exec(
          "CREATE TABLE orders (id int PRIMARY KEY, v text); INSERT INTO orders VALUES (1, 'a'), (2, 'b');"
          "CREATE INDEX orders_v ON orders (v)");
    std::string sql = GetParam().sql;
    if (const auto at = sql.find("{db}"); at != std::string::npos) sql.replace(at, 4, managed.name());
    managed.exec(fmt::format("SET ROLE {}; {}", GetParam().roles[0], sql));
  }

  support::TestDatabase managed{provider_server()};
  support::TestDatabase plain{target_server()};
};

TEST_P(ManagedDatabase, IsEqualToAPlainOneButForWhatIsTheProvidersOwn) {
  // As the source and as the target.
  for (const auto& [from, to] : {std::pair(&managed, &plain), std::pair(&plain, &managed)}) {
    SCOPED_TRACE(from == &managed ? "as the source" : "as the target");
    const auto verdict = compare(from->url(), to->url());
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(of_provider(verdict), UnorderedElementsAreArray(GetParam().definitions));
    EXPECT_THAT(verdict.remarks("skipped"), UnorderedElementsAreArray(GetParam().rows));
    EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.orders"));
  }
}

TEST_P(ManagedDatabase, HidesNothingOfTheUsers) {
  const support::TestRole reader(provider_server());
  managed.exec(fmt::format(R"(
    UPDATE orders SET v = 'c' WHERE id = 2; DROP INDEX orders_v; CREATE SCHEMA mine; CREATE TABLE mine.t (id int);
    CREATE PUBLICATION mine FOR TABLE orders; GRANT SELECT ON orders TO {0};
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
    CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION on_ddl())",
                           support::sql_identifier(reader.name())));
  const std::vector<std::string> differences{"default privileges postgres(tables)",
                                             "event trigger mine",
                                             "function public.on_ddl()",
                                             "index public.orders_v",
                                             "publication mine",
                                             "schema mine",
                                             "table public.orders privileges of " + reader.name()};
  for (const auto& [from, to] : {std::pair(&managed, &plain), std::pair(&plain, &managed)}) {
    SCOPED_TRACE(from == &managed ? "as the source" : "as the target");
    const auto verdict = compare(from->url(), to->url());
    EXPECT_EQ(verdict.code(), 1) << verdict.text();
    EXPECT_THAT(verdict.definitions(), ElementsAreArray(differences));
    EXPECT_THAT(verdict.rows("public.orders"), ElementsAre(R"(changed {"id":"2"} v)"));
    EXPECT_THAT(of_provider(verdict), IsSupersetOf(GetParam().definitions));
  }
}

INSTANTIATE_TEST_SUITE_P(Providers, ManagedDatabase, ::testing::ValuesIn(providers()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace verify::test
