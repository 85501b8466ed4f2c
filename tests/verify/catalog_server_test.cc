// What a copy leaves behind is equal, whatever the versions; what could not be read is never equal.

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "tests/verify/catalog_fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

support::Cluster& old_server(int major = 15) { return support::cluster(major, "source"); }
support::Cluster& new_server(int major = 15) { return support::cluster(major, "target"); }

void copy(const support::TestDatabase& source, const support::TestDatabase& target,
          std::vector<std::string> more = {}) {
  const support::TempDir directory;
  std::vector<std::string> arguments{"copy",     "--no-progress", "--source",  source.url(),
                                     "--target", target.url(),    "--run-dir", directory.path() / "run"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto result = support::cutover(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.output << result.error;
}

struct Source {
  std::string name;
  std::string file;
  std::map<std::string, std::string> variables;
  std::vector<int> targets;
  friend void PrintTo(const Source& source, std::ostream* out) { *out << source.name; }
};

class CopiedCatalog : public ::testing::TestWithParam<Source> {};

TEST_P(CopiedCatalog, IsEqualOnEveryVersion) {
  const support::TestDatabase source(old_server());
  source.psql_file(data_file(GetParam().file), GetParam().variables);
  const auto before = read(source.url());
  for (const int major : GetParam().targets) {
    SCOPED_TRACE(major);
    new_server(major).psql_file("postgres", data_file("atlas_roles.sql"));
    const support::TestDatabase target(new_server(major));
    copy(source, target);
    const auto after = read(target.url());
    const auto found = compare(before, after);
    EXPECT_THAT(objections(found), IsEmpty());
    EXPECT_THAT(found.of_provider, IsEmpty());
    EXPECT_GT(found.compared.at("column"), 100U);
    // And the other way round.
    EXPECT_THAT(objections(compare(after, before)), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sources, CopiedCatalog,
    ::testing::Values(Source{"Atlas", "atlas.sql", {{"scale", "0.01"}}, {15, 16, 17, 18}},
                      Source{"AllTypes", "all_types.sql", {{"part", "schema"}}, {15, 16, 17, 18}},
                      Source{"Hostile", "hostile.sql", {}, {15, 18}}),
    [](const auto& test) { return test.param.name; });

/// What each kind of definition is counted by, from the system's tables alone. Each range brings five
/// functions and a cast along.
const std::map<std::string, std::string>& counts_of_kinds() {
  static const std::string ours =
      "(SELECT oid FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_' OR nspname = 'public')";
  static const auto named = [](const char* catalog, const char* space) {
    return fmt::format("SELECT count(*) FROM {} WHERE {} IN {}", catalog, space, ours);
  };
  static const auto relations = [](const char* kinds) {
    return fmt::format("{} AND relkind IN ({})", named("pg_class", "relnamespace"), kinds);
  };
  static const auto of_relations = [](const char* what, const char* relation) {
    return fmt::format("SELECT count(*) FROM {} JOIN pg_class c ON c.oid = {} WHERE c.relnamespace IN {}",
                       what, relation, ours);
  };
  static const std::string ranges = "(" + named("pg_type", "typnamespace") + " AND typtype = 'r')";
  static const std::map<std::string, std::string> counts{
      {"schema", "SELECT count(*) FROM " + ours + " s"},
      {"table", relations("'r', 'p'")},
      {"view", "SELECT count(*) FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"},
      {"materialized view", "SELECT count(*) FROM pg_matviews"},
      {"foreign table", "SELECT count(*) FROM pg_foreign_table"},
      {"column", of_relations("pg_attribute a", "a.attrelid") +
                     " AND relkind NOT IN ('i', 'I', 'S', 't') AND attnum > 0 AND NOT attisdropped"},
      {"constraint", named("pg_constraint", "connamespace") +
                         " AND contype <> 't' AND NOT (contype = 'f' AND conparentid <> 0)"},
      {"index", relations("'i', 'I'")},
      {"sequence", relations("'S'")},
      // A copy that a partition has counts where it is switched on or off by itself.
      {"trigger", of_relations("pg_trigger t", "t.tgrelid") +
                      " AND NOT tgisinternal AND (tgparentid = 0 OR tgenabled <> 'O')"},
      {"rule", "SELECT count(*) FROM pg_rules WHERE schemaname <> 'pg_catalog'"},
      {"policy", "SELECT count(*) FROM pg_policies"},
      {"statistics", named("pg_statistic_ext", "stxnamespace")},
      // Enums, ranges, base types and shells, but no arrays; and the composite ones that are no table's.
      {"type", fmt::format("SELECT ({} AND typtype IN ('e', 'r', 'b', 'p') AND typelem = 0) + ({})",
                           named("pg_type", "typnamespace"), relations("'c'"))},
      {"domain", named("pg_type", "typnamespace") + " AND typtype = 'd'"},
      {"function", fmt::format("SELECT ({} AND prokind IN ('f', 'w')) - 5 * {}",
                               named("pg_proc", "pronamespace"), ranges)},
      {"procedure", named("pg_proc", "pronamespace") + " AND prokind = 'p'"},
      {"aggregate", named("pg_proc", "pronamespace") + " AND prokind = 'a'"},
      {"operator", named("pg_operator", "oprnamespace")},
      {"operator class", named("pg_opclass", "opcnamespace")},
      {"operator family", named("pg_opfamily", "opfnamespace")},
      {"cast", fmt::format("SELECT (SELECT count(*) FROM pg_cast WHERE oid >= 16384) - {}", ranges)},
      {"collation", named("pg_collation", "collnamespace")},
      {"conversion", named("pg_conversion", "connamespace")},
      {"language", "SELECT count(*) FROM pg_language WHERE oid >= 16384 AND lanname <> 'plpgsql'"},
      {"transform", "SELECT count(*) FROM pg_transform"},
      {"access method", "SELECT count(*) FROM pg_am WHERE oid >= 16384"},
      {"event trigger", "SELECT count(*) FROM pg_event_trigger"},
      {"text search parser", named("pg_ts_parser", "prsnamespace")},
      {"text search template", named("pg_ts_template", "tmplnamespace")},
      {"text search dictionary", named("pg_ts_dict", "dictnamespace")},
      {"text search configuration", named("pg_ts_config", "cfgnamespace")},
      {"extension", "SELECT count(*) FROM pg_extension"},
      {"publication", "SELECT count(*) FROM pg_publication"},
      {"foreign data wrapper", "SELECT count(*) FROM pg_foreign_data_wrapper"},
      {"server", "SELECT count(*) FROM pg_foreign_server"},
      {"user mapping", "SELECT count(*) FROM pg_user_mapping"},
      {"database", "SELECT 1"},
      {"default privileges", "SELECT count(*) FROM pg_default_acl"},
  };
  return counts;
}

// A kind that a query passes over would be equal on both sides for ever.
TEST(HostileCatalog, EveryKindIsComparedAsOftenAsTheServerHasIt) {
  const support::TestDatabase source(old_server());
  source.psql_file(data_file("hostile.sql"));
  const auto before = read(source.url());
  const auto found = compare(before, before);
  EXPECT_THAT(objections(found), IsEmpty());
  std::map<std::string, uint64_t> expected;
  for (const auto& [kind, sql] : counts_of_kinds())
    if (const auto count = std::stoull(source.value(sql)); count > 0) expected[kind] = count;
  const std::map<std::string, uint64_t> compared(found.compared.begin(), found.compared.end());
  EXPECT_EQ(compared, expected);
  EXPECT_GT(expected.size(), 30U);
}

class CatalogRoles : public ::testing::Test {
 protected:
  CatalogRoles() {
    source.emplace(old_server());
    target.emplace(new_server());
    source->exec(fmt::format(R"(
      CREATE SCHEMA s AUTHORIZATION {0};
      CREATE TABLE s.t (id serial PRIMARY KEY, b text);
      ALTER TABLE s.t OWNER TO {0};
      GRANT USAGE ON SCHEMA s TO {1};
      GRANT SELECT, INSERT ON s.t TO {1} WITH GRANT OPTION;
      GRANT UPDATE (b) ON s.t TO {1};
      CREATE POLICY p ON s.t TO {1} USING (true);
      ALTER DEFAULT PRIVILEGES FOR ROLE {0} IN SCHEMA s GRANT SELECT ON TABLES TO {1};
      CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
      ALTER FUNCTION s.f() OWNER TO {0};
      ALTER ROLE {1} IN DATABASE {2} SET work_mem = '5MB')",
                             old_owner.name(), old_app.name(), source->name()));
  }

  support::TestRole old_owner{old_server()}, old_app{old_server()};
  support::TestRole new_owner{new_server()}, new_app{new_server()};
  std::optional<support::TestDatabase> source, target;
};

TEST_F(CatalogRoles, AreMappedAsTheCopyMapsThem) {
  copy(*source, *target,
       {"--role-map",
        fmt::format("{}={},{}={}", old_owner.name(), new_owner.name(), old_app.name(), new_app.name())});
  const auto before = read(source->url());
  const auto after = read(target->url());
  CatalogOptions options;
  options.role_map = {{old_owner.name(), new_owner.name()}, {old_app.name(), new_app.name()}};
  EXPECT_THAT(objections(compare(before, after, options)), IsEmpty());
  options.role_map.erase(old_app.name());
  EXPECT_THAT(places(compare(before, after, options)), Contains("policy s.t.p role " + new_app.name()));
}

TEST_F(CatalogRoles, AreLeftOutAsTheCopyLeavesThemOut) {
  source->exec("DROP POLICY p ON s.t");
  source->exec(fmt::format("ALTER ROLE {} IN DATABASE {} RESET ALL", old_app.name(), source->name()));
  copy(*source, *target, {"--no-owners", "--no-grants"});
  const auto before = read(source->url());
  const auto after = read(target->url());
  CatalogOptions options;
  options.owners = options.grants = false;
  EXPECT_THAT(objections(compare(before, after, options)), IsEmpty());
  EXPECT_THAT(places(compare(before, after)), Contains("table s.t owner"));
}

/// The same statements on two versions, with what the older one knows.
class CatalogOfVersion : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(CatalogOfVersion, IsEqualToThatOfAnother) {
  const auto [from, to] = GetParam();
  const support::TestDatabase source(old_server(from));
  const support::TestDatabase target(new_server(to));
  for (const auto* database : {&source, &target})
    database->psql_file(data_file("all_types.sql"),
                        {{"part", "schema"}, {"max_version", std::to_string(from * 10000)}});
  auto found = compare(read(source.url()), read(target.url()));
  // Some servers are built without ICU; they make neither its collations nor the tables that use them.
  std::erase_if(found.differences, [](const auto& difference) {
    return difference.object.find("icu") != std::string::npos ||
           difference.object.find("no_case") != std::string::npos;
  });
  EXPECT_THAT(objections(found), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Versions, CatalogOfVersion,
                         ::testing::Values(std::pair{12, 15}, std::pair{13, 18}, std::pair{14, 17}));

// Where the locale is kept has changed with version 15.
TEST(CatalogOfVersions, CollationsOfIcuAreTheSame) {
  const support::TestDatabase source(old_server(12));
  const support::TestDatabase target(new_server(17));
  for (const auto* database : {&source, &target}) {
    if (database->value("SELECT count(*) FROM pg_collation WHERE collprovider = 'i'") == "0")
      GTEST_SKIP() << "built without ICU";
    database->exec("CREATE COLLATION same (PROVIDER = icu, LOCALE = 'de')");
  }
  source.exec("CREATE COLLATION other (PROVIDER = icu, LOCALE = 'de')");
  target.exec("CREATE COLLATION other (PROVIDER = icu, LOCALE = 'sv')");
  EXPECT_THAT(places(compare(read(source.url()), read(target.url()))),
              ElementsAre("collation public.other locale"));
}

// "system_user" is reserved since version 16, "merge" and "json_scalar" are words of 15 and 17.
TEST(CatalogOfVersions, WordsThatOnlyOneOfThemReservesAreTheSameNames) {
  const support::TestDatabase source(old_server());
  const support::TestDatabase target(new_server(17));
  for (const auto* database : {&source, &target})
    database->exec(R"(
      CREATE TYPE "json_scalar" AS ENUM ('a');
      CREATE TABLE "system_user" ("system_user" int PRIMARY KEY CHECK ("system_user" > 0), "merge" "json_scalar", UNIQUE ("merge"));
      CREATE VIEW v AS SELECT "system_user"."system_user", "merge" FROM "system_user";
      CREATE FUNCTION "json_table"("json_scalar") RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE INDEX "json_exists" ON "system_user" (("system_user" + 1));
      CREATE TRIGGER "json_query" BEFORE UPDATE ON "system_user" FOR EACH ROW
        EXECUTE FUNCTION suppress_redundant_updates_trigger())");
  const auto found = compare(read(source.url()), read(target.url()));
  EXPECT_THAT(objections(found), IsEmpty());
  EXPECT_EQ(found.compared.at("trigger"), 1U);
}

TEST(CatalogRead, OurLedgerAndTemporaryTablesAreNotCounted) {
  const support::TestDatabase database(old_server());
  const auto before = read(database.url());
  database.exec("CREATE SCHEMA cutover; CREATE TABLE cutover.chunk (a int PRIMARY KEY)");
  auto connection = open(database.url());
  connection.exec("CREATE TEMPORARY TABLE t (id serial)");
  const auto after = read_catalog(connection);
  EXPECT_THAT(objections(compare(before, after)), IsEmpty());
}

TEST(CatalogRead, OneTransactionSeesItsOwnState) {
  const support::TestDatabase database(old_server());
  auto connection = open(database.url());
  const auto before = read_catalog(connection);
  connection.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE public.t (a int)");
  EXPECT_THAT(places(compare(before, read_catalog(connection))), ElementsAre("table public.t"));
  connection.exec("ROLLBACK");
  EXPECT_THAT(objections(compare(before, read_catalog(connection))), IsEmpty());
}

TEST(CatalogRead, WhatTheRoleMayNotReadIsUncheckedAndNamed) {
  const support::TestRole reader(old_server());
  const support::TestDatabase database(old_server());
  database.exec(
      fmt::format("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT USAGE ON "
                  "FOREIGN SERVER s TO {0};"
                  "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (a 'b'); CREATE USER MAPPING FOR {0} "
                  "SERVER s OPTIONS (a 'b')",
                  reader.name()));
  database.exec("REVOKE SELECT ON pg_catalog.pg_publication_rel, pg_catalog.pg_policy FROM PUBLIC");
  const auto whole = read(database.url());
  const auto part = read(database.url(reader.name()));
  const auto found = compare(whole, part);
  EXPECT_THAT(
      objections(found),
      ElementsAre(
          "unchecked every policy at the target: permission denied for table pg_policy",
          "unchecked every publication at the target: permission denied for table pg_publication_rel",
          "unchecked options of user mapping PUBLIC@s at the target: only a superuser sees them, or whom "
          "the mapping is for"));
  // Each may be accepted by its name.
  CatalogOptions options;
  options.waivers = {CatalogWaiver::parse("user mapping PUBLIC@s option *"), CatalogWaiver::parse("policy *"),
                     CatalogWaiver::parse("publication *")};
  const auto waived = compare(whole, part, options);
  EXPECT_THAT(objections(waived), IsEmpty());
  EXPECT_EQ(waived.waived.size(), 3U);
  EXPECT_THAT(waived.unused_waivers, IsEmpty());
  options.waivers = {CatalogWaiver::parse("policy some.one")};
  EXPECT_EQ(compare(whole, part, options).unchecked.size(), 3U);
}

TEST(CatalogRead, ALabelGoesWithTheTableThatItIsOn) {
  const support::TestDatabase database(old_server());
  database.exec("CREATE TABLE kept (a int); CREATE TABLE left_out (a int)");
  const auto before = read(database.url());
  database.exec(
      "INSERT INTO pg_seclabel VALUES ('left_out'::regclass, 'pg_class'::regclass, 1, 'keeper', 'x')");
  const auto after = read(database.url());
  EXPECT_THAT(places(compare(before, after)),
              ElementsAre("security label table column public.left_out.a keeper"));
  CatalogOptions options;
  options.selects = [](std::string_view, std::string_view relation) { return relation != "left_out"; };
  EXPECT_THAT(objections(compare(before, after, options)), IsEmpty());
}

TEST(CatalogRead, AnOrdinaryRoleSeesAllThatThereIs) {
  for (const int major : {12, 13, 14, 18}) {
    SCOPED_TRACE(major);
    const support::TestRole role(old_server(major));
    const support::TestDatabase database(old_server(major));
    database.exec("CREATE TABLE t (a int)");
    const auto own = read(database.url(role.name()));
    EXPECT_THAT(objections(compare(own, read(database.url()))), IsEmpty());
  }
}

// The same number may be another amount.
TEST(CatalogRead, WhatMakesAnAmountOfMoneyIsSaidWhereThereIsSome) {
  const support::TestDatabase source(old_server());
  const support::TestDatabase target(new_server());
  target.exec(fmt::format("ALTER DATABASE {} SET lc_monetary = 'POSIX'", target.name()));
  const auto found = [&] {
    const auto all = compare(read(source.url()), read(target.url()));
    EXPECT_THAT(places(all), ElementsAre("setting lc_monetary"));
    return std::ranges::count(all.expected, "monetary locale",
                              [](const auto& expected) { return expected.difference.property; });
  };
  EXPECT_EQ(found(), 0);
  for (const auto* database : {&source, &target}) database->exec("CREATE TABLE t (a money)");
  EXPECT_EQ(found(), 1);
}

TEST(CatalogRead, ALostConnectionIsThrown) {
  const support::TestDatabase database(old_server());
  auto connection = open(database.url());
  database.exec(fmt::format("SELECT pg_terminate_backend({})", connection.backend_pid()));
  EXPECT_THROW(read_catalog(connection), base::Error);
}

TEST(CatalogRead, OtherSettingsOfADatabaseAreNamedAndOnlyThose) {
  const support::TestDatabase source(old_server());
  const support::TestDatabase target(new_server(), "TEMPLATE template0 LOCALE 'C'");
  for (const auto* database : {&source, &target})
    database->exec(
        "CREATE TABLE t (a int, d timestamptz DEFAULT '2024-01-01 12:00+02', b bytea DEFAULT '\\x0102', i "
        "interval "
        "DEFAULT '1 mon 3 days', f float8 DEFAULT 0.1) PARTITION BY RANGE (d); "
        "CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2024-01-01 12:00+02') TO ('2025-01-01')");
  for (const auto* setting :
       {"TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "bytea_output = 'escape'",
        "IntervalStyle = 'iso_8601'", "extra_float_digits = -3", "search_path = public"})
    target.exec(fmt::format("ALTER DATABASE {} SET {}", target.name(), setting));
  const auto found = compare(read(source.url()), read(target.url()));
  EXPECT_THAT(places(found),
              ElementsAre("setting DateStyle", "setting IntervalStyle", "setting TimeZone",
                          "setting bytea_output", "setting extra_float_digits", "setting search_path"));
  // The locale is said, and does not count.
  ASSERT_THAT(found.expected, Contains(::testing::Truly([](const WaivedDifference& expected) {
                return text(expected.difference) == "database database collate: C.UTF-8 -> C";
              })));
}

TEST(CatalogRead, ColumnOrderAndDroppedColumnsDoNotCount) {
  const support::TestDatabase source(old_server());
  const support::TestDatabase target(new_server());
  source.exec("CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL, c int)");
  target.exec(
      "CREATE TABLE t (x int, b text NOT NULL, c int, a int PRIMARY KEY); ALTER TABLE t DROP COLUMN x");
  EXPECT_THAT(objections(compare(read(source.url()), read(target.url()))), IsEmpty());
}

TEST(CatalogRead, ThousandsOfTablesTakeNoTime) {
  const support::TestDatabase database(old_server());
  database.exec(
      "DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text "
      "DEFAULT ''x'', b "
      "int)', i); END LOOP; END $$");
  const auto begin = std::chrono::steady_clock::now();
  const auto catalog = read(database.url());
  const auto found = compare(catalog, catalog);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_THAT(objections(found), IsEmpty());
  EXPECT_EQ(found.compared.at("table"), 1500U);
}

}  // namespace
}  // namespace verify::test
