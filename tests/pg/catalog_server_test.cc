#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/catalog.h"
#include "pg/snapshot.h"
#include "tests/pg/open.h"
#include "tests/support/cluster.h"

namespace pg {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CatalogServer : public ::testing::TestWithParam<int> {
 protected:
  static const support::Cluster& cluster() { return support::cluster(GetParam()); }

  /// Runs `sql` in a new database and reads its catalog.
  Catalog read(const std::string& sql) {
    database_.exec(sql);
    auto connection = test::open(database_);
    return read_catalog(connection);
  }

  support::TestRole role_{cluster(), "NOLOGIN"};
  support::TestDatabase database_{cluster()};
};

INSTANTIATE_TEST_SUITE_P(Majors, CatalogServer, ::testing::Values(12, 15, 18),
                         [](const auto& test) { return std::to_string(test.param); });

template <typename Item, typename Name>
std::vector<std::string> names_of(const std::vector<Item>& items, Name name) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(name(item));
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> table_names(const Catalog& catalog) {
  return names_of(catalog.tables, [](const Table& table) { return table.name.display(); });
}

const Table& table(const Catalog& catalog, const std::string& name) {
  const auto found = std::ranges::find(catalog.tables, name, [](const Table& t) { return t.name.name; });
  if (found == catalog.tables.end()) throw std::runtime_error("no table " + name);
  return *found;
}

const Column& column(const Catalog& catalog, const std::string& of, const std::string& name) {
  const auto& columns = table(catalog, of).columns;
  const auto found = std::ranges::find(columns, name, &Column::name);
  if (found == columns.end()) throw std::runtime_error("no column " + name);
  return *found;
}

const Index& index(const Catalog& catalog, const std::string& name) {
  const auto found = std::ranges::find(catalog.indexes, name, [](const Index& i) { return i.name().name; });
  if (found == catalog.indexes.end()) throw std::runtime_error("no index " + name);
  return *found;
}

const ForeignKey& foreign_key(const Catalog& catalog, const std::string& table_name) {
  const auto found = std::ranges::find(catalog.foreign_keys, table_name,
                                       [](const ForeignKey& key) { return key.table.name; });
  if (found == catalog.foreign_keys.end()) throw std::runtime_error("no foreign key of " + table_name);
  return *found;
}

TEST_P(CatalogServer, AnEmptyDatabase) {
  const auto catalog = read("");
  EXPECT_THAT(catalog.tables, IsEmpty());
  EXPECT_THAT(catalog.indexes, IsEmpty());
  EXPECT_THAT(catalog.sequences, IsEmpty());
  EXPECT_THAT(catalog.extensions, IsEmpty());
  EXPECT_THAT(catalog.schemas, ElementsAre("public"));
  EXPECT_EQ(catalog.large_objects, 0U);
}

TEST_P(CatalogServer, TablesOfEveryKind) {
  const auto catalog = read(
      "CREATE SCHEMA \"Odd \"\"schema\"; CREATE TABLE plain (a int); INSERT INTO plain SELECT "
      "generate_series(1, 1000);"
      "CREATE UNLOGGED TABLE quick (); CREATE TEMP TABLE temporary (); CREATE TABLE \"Odd "
      "\"\"schema\".\"Odd, table\" ();"
      "CREATE VIEW a_view AS SELECT 1; CREATE MATERIALIZED VIEW seen AS SELECT 1 AS a;"
      "CREATE MATERIALIZED VIEW unseen AS SELECT 1 AS a WITH NO DATA;"
      "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (a "
      "int) SERVER s;"
      "CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);"
      "CREATE SCHEMA cutover; CREATE TABLE cutover.ledger (a serial PRIMARY KEY)");
  EXPECT_THAT(table_names(catalog),
              ElementsAre("\"Odd \"\"schema\".\"Odd, table\"", "public.child", "public.far", "public.parent",
                          "public.plain", "public.quick", "public.seen", "public.unseen"));
  EXPECT_THAT(catalog.indexes, IsEmpty());
  EXPECT_THAT(catalog.sequences, IsEmpty());
  EXPECT_EQ(table(catalog, "plain").kind, 'r');
  EXPECT_EQ(table(catalog, "plain").persistence, 'p');
  EXPECT_EQ(table(catalog, "plain").owner, "postgres");
  EXPECT_GT(table(catalog, "plain").blocks, 0U);
  EXPECT_EQ(table(catalog, "plain").bytes, table(catalog, "plain").blocks * 8192);
  EXPECT_GT(table(catalog, "plain").filenode, 0U);
  EXPECT_EQ(table(catalog, "quick").persistence, 'u');
  EXPECT_EQ(table(catalog, "far").kind, 'f');
  EXPECT_EQ(table(catalog, "seen").kind, 'm');
  EXPECT_TRUE(table(catalog, "seen").populated);
  EXPECT_FALSE(table(catalog, "unseen").populated);
  EXPECT_FALSE(table(catalog, "child").is_partition);
  EXPECT_EQ(table(catalog, "child").parent, 0U);
  EXPECT_THAT(catalog.schemas, ElementsAre("Odd \"schema", "public"));
}

TEST_P(CatalogServer, Columns) {
  const auto catalog = read(
      "CREATE TYPE mood AS ENUM ('glum'); CREATE DOMAIN amount AS numeric(9,2);"
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, other int GENERATED BY DEFAULT AS IDENTITY,"
      "gone int, total amount NOT NULL, twice numeric GENERATED ALWAYS AS (total * 2) STORED, m mood, ms "
      "mood[],"
      "note varchar(10), \"Odd \"\"name\" int, words tsvector, plain int DEFAULT 1);"
      "ALTER TABLE t DROP COLUMN gone");
  std::vector<std::string> all;
  for (const auto& each : table(catalog, "t").columns) all.push_back(each.name);
  EXPECT_THAT(
      all, ElementsAre("id", "other", "total", "twice", "m", "ms", "note", "Odd \"name", "words", "plain"));
  EXPECT_EQ(column(catalog, "t", "id").identity, 'a');
  EXPECT_EQ(column(catalog, "t", "id").type, "bigint");
  EXPECT_TRUE(column(catalog, "t", "id").not_null);
  EXPECT_EQ(column(catalog, "t", "other").identity, 'd');
  EXPECT_EQ(column(catalog, "t", "plain").identity, '\0');
  EXPECT_FALSE(column(catalog, "t", "plain").not_null);
  EXPECT_EQ(column(catalog, "t", "total").type, "public.amount")
      << "qualified, since the search path is empty";
  EXPECT_TRUE(column(catalog, "t", "total").not_null);
  EXPECT_FALSE(column(catalog, "t", "total").generated);
  EXPECT_TRUE(column(catalog, "t", "twice").generated);
  EXPECT_EQ(column(catalog, "t", "note").type, "character varying(10)");
  EXPECT_TRUE(column(catalog, "t", "m").binary_safe);
  EXPECT_FALSE(column(catalog, "t", "ms").binary_safe);
  EXPECT_FALSE(column(catalog, "t", "words").binary_safe);
}

TEST_P(CatalogServer, VirtualGeneratedColumnsAreGenerated) {
  const char* kind = GetParam() >= 18 ? "VIRTUAL" : "STORED";
  const auto catalog =
      read(fmt::format("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) {})", kind));
  EXPECT_TRUE(column(catalog, "t", "b").generated);
}

TEST_P(CatalogServer, KeysAreWhatNamesARowForSure) {
  const auto catalog = read(
      "CREATE TABLE none (a int); CREATE TABLE nullable (a int UNIQUE);"
      "CREATE TABLE half_nullable (a int NOT NULL, b int, UNIQUE (a, b));"
      "CREATE TABLE deferred (a int PRIMARY KEY DEFERRABLE);"
      "CREATE TABLE partial (a int NOT NULL); CREATE UNIQUE INDEX ON partial (a) WHERE a > 0;"
      "CREATE TABLE expression (a text NOT NULL); CREATE UNIQUE INDEX ON expression (lower(a));"
      "CREATE TABLE excluded (a int NOT NULL, EXCLUDE (a WITH =));"
      "CREATE TABLE primary_key (b int, a int, c int NOT NULL UNIQUE, PRIMARY KEY (b, a));"
      "CREATE TABLE reversed (a int, b int, PRIMARY KEY (b, a));"
      "CREATE TABLE uniques (a int NOT NULL, b int NOT NULL, c int NOT NULL, UNIQUE (a, b), UNIQUE (c));"
      "CREATE TABLE including (a int NOT NULL, b int, UNIQUE (a) INCLUDE (b));"
      "CREATE TABLE just_index (a int NOT NULL); CREATE UNIQUE INDEX ON just_index (a DESC);"
      "CREATE TABLE odd (\"a,b\" int, \"c\"\"d\" int, \"NULL\" int, PRIMARY KEY (\"a,b\", \"c\"\"d\", "
      "\"NULL\"));"
      "CREATE TABLE shifted (x int, a int PRIMARY KEY); ALTER TABLE shifted DROP COLUMN x");
  for (const char* without :
       {"none", "nullable", "half_nullable", "deferred", "partial", "expression", "excluded"})
    EXPECT_THAT(table(catalog, without).key, IsEmpty()) << without;
  EXPECT_THAT(table(catalog, "primary_key").key, ElementsAre("b", "a"));
  EXPECT_THAT(table(catalog, "reversed").key, ElementsAre("b", "a"));
  EXPECT_THAT(table(catalog, "uniques").key, ElementsAre("c"));
  EXPECT_THAT(table(catalog, "including").key, ElementsAre("a"));
  EXPECT_THAT(table(catalog, "just_index").key, ElementsAre("a"));
  EXPECT_THAT(table(catalog, "odd").key, ElementsAre("a,b", "c\"d", "NULL"));
  EXPECT_THAT(table(catalog, "shifted").key, ElementsAre("a"));
}

TEST_P(CatalogServer, PartitionsAndTheirParents) {
  const auto catalog = read(
      "CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST "
      "(id);"
      "CREATE TABLE p1a PARTITION OF p1 DEFAULT; CREATE TABLE p2 PARTITION OF p DEFAULT");
  EXPECT_EQ(table(catalog, "p").kind, 'p');
  EXPECT_FALSE(table(catalog, "p").is_partition);
  EXPECT_EQ(table(catalog, "p1").kind, 'p');
  EXPECT_TRUE(table(catalog, "p1").is_partition);
  EXPECT_EQ(table(catalog, "p1").parent, table(catalog, "p").oid);
  EXPECT_EQ(table(catalog, "p1a").kind, 'r');
  EXPECT_EQ(table(catalog, "p1a").parent, table(catalog, "p1").oid);
  EXPECT_EQ(table(catalog, "p").key, table(catalog, "p1a").key);
  EXPECT_TRUE(index(catalog, "p_pkey").on_partitioned);
  EXPECT_FALSE(index(catalog, "p2_pkey").on_partitioned);
}

TEST_P(CatalogServer, HashPartitionsWhoseRowsMoveElsewhere) {
  const auto catalog = read(
      "CREATE TYPE mood AS ENUM ('glum'); CREATE DOMAIN mood_domain AS mood;"
      "CREATE TABLE by_enum (a mood) PARTITION BY HASH (a); CREATE TABLE by_int (a int) PARTITION BY HASH "
      "(a);"
      "CREATE TABLE by_both (a int, b mood) PARTITION BY HASH (a, b);"
      "CREATE TABLE by_text (a text, b mood) PARTITION BY HASH (a); CREATE TABLE by_list (a mood) PARTITION "
      "BY LIST (a);"
      "CREATE TABLE by_expression (a text) PARTITION BY HASH (lower(a)); CREATE TABLE plain (a mood)");
  for (const char* moving : {"by_enum", "by_both", "by_expression"})
    EXPECT_TRUE(table(catalog, moving).hash_on_enum) << moving;
  for (const char* staying : {"by_int", "by_text", "by_list", "plain"})
    EXPECT_FALSE(table(catalog, staying).hash_on_enum) << staying;
}

TEST_P(CatalogServer, RowSecurity) {
  const auto catalog = read(
      "CREATE TABLE off (); CREATE TABLE secured (); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;"
      "CREATE TABLE forced (); ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
  EXPECT_FALSE(table(catalog, "off").row_security);
  EXPECT_TRUE(table(catalog, "secured").row_security);
  EXPECT_FALSE(table(catalog, "secured").force_row_security);
  EXPECT_TRUE(table(catalog, "forced").force_row_security);
}

TEST_P(CatalogServer, Indexes) {
  const auto catalog = read(
      "CREATE TABLE t (id int PRIMARY KEY, u int CONSTRAINT t_u UNIQUE DEFERRABLE INITIALLY DEFERRED, doc "
      "jsonb, r int4range,"
      "CONSTRAINT t_x EXCLUDE USING gist (r WITH &&)); CREATE INDEX t_doc ON t USING gin (doc);"
      "CREATE UNIQUE INDEX t_plain ON t (u); CREATE INDEX broken ON t (u);"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass");
  const auto& primary = index(catalog, "t_pkey");
  EXPECT_EQ(primary.constraint_type, 'p');
  EXPECT_EQ(primary.table, table(catalog, "t").oid);
  EXPECT_EQ(primary.words().method, "btree");
  EXPECT_GT(primary.constraint, 0U);
  EXPECT_GT(primary.bytes, 0U);
  EXPECT_EQ(primary.words().definition,
            R"(CREATE UNIQUE INDEX "t_pkey" ON "public"."t" USING "btree" ("id"))");
  EXPECT_EQ(primary.words().constraint_options, "");
  EXPECT_EQ(index(catalog, "t_u").constraint_type, 'u');
  EXPECT_EQ(index(catalog, "t_u").words().constraint_options, " DEFERRABLE INITIALLY DEFERRED");
  EXPECT_EQ(index(catalog, "t_x").constraint_type, 'x');
  EXPECT_EQ(index(catalog, "t_x").words().definition, "");
  EXPECT_EQ(index(catalog, "t_doc").words().method, "gin");
  EXPECT_EQ(index(catalog, "t_doc").constraint, 0U);
  EXPECT_EQ(index(catalog, "t_plain").constraint_type, '\0');
  EXPECT_TRUE(index(catalog, "t_plain").valid);
  EXPECT_FALSE(index(catalog, "broken").valid);
}

TEST_P(CatalogServer, AnInvalidIndexIsNoKey) {
  const auto catalog = read(
      "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a);"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass");
  EXPECT_THAT(table(catalog, "t").key, IsEmpty());
}

TEST_P(CatalogServer, ForeignKeys) {
  const auto catalog = read(
      "CREATE SCHEMA app; CREATE TABLE app.\"Orders\" (a int, \"B\" int, PRIMARY KEY (a, \"B\"));"
      "CREATE TABLE items (x int, y int, FOREIGN KEY (y, x) REFERENCES app.\"Orders\" (\"B\", a) MATCH FULL);"
      "CREATE TABLE late (x int PRIMARY KEY); ALTER TABLE late ADD FOREIGN KEY (x) REFERENCES late NOT VALID;"
      "CREATE TABLE p (x int REFERENCES late) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p DEFAULT");
  const auto& items = foreign_key(catalog, "items");
  EXPECT_EQ(items.referenced, (QualifiedName{"app", "Orders"}));
  EXPECT_THAT(items.columns, ElementsAre("y", "x"));
  EXPECT_THAT(items.referenced_columns, ElementsAre("B", "a"));
  EXPECT_TRUE(items.match_full);
  EXPECT_TRUE(items.validated);
  EXPECT_FALSE(items.inherited);
  EXPECT_EQ(items.definition, R"(FOREIGN KEY ("y", "x") REFERENCES "app"."Orders"("B", "a") MATCH FULL)");
  EXPECT_FALSE(foreign_key(catalog, "late").validated);
  EXPECT_FALSE(foreign_key(catalog, "late").match_full);
  EXPECT_FALSE(foreign_key(catalog, "p").inherited);
  EXPECT_TRUE(foreign_key(catalog, "p1").inherited);
}

TEST_P(CatalogServer, SequencesOfEveryOrigin) {
  const auto catalog = read(
      "CREATE SEQUENCE free; CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY); CREATE TEMP "
      "SEQUENCE passing");
  EXPECT_THAT(names_of(catalog.sequences, [](const Sequence& s) { return s.name.display(); }),
              ElementsAre("public.free", "public.t_a_seq", "public.t_b_seq"));
}

TEST_P(CatalogServer, WhoOwnsASequenceAndWhoTakesValuesOfIt) {
  const auto catalog = read(
      "CREATE SEQUENCE free; CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY); CREATE TABLE u "
      "(a "
      "int DEFAULT nextval('t_a_seq'), b int DEFAULT nextval('free'))");
  const auto said = names_of(catalog.sequences, [&](const Sequence& sequence) {
    auto text = sequence.name.name + ":";
    for (const auto& one : catalog.tables)
      text += (one.oid == sequence.owner ? " of " + one.name.name : "") +
              (std::ranges::count(sequence.users, one.oid) > 0 ? " for " + one.name.name : "");
    return text;
  });
  EXPECT_THAT(said, ElementsAre("free: for u", "t_a_seq: of t for t for u", "t_b_seq: of t"));
}

// The order of creation is not the order of reading: `late` reads `base` through a view that was replaced.
TEST_P(CatalogServer, MaterializedViewsComeAfterWhatTheyRead) {
  const auto catalog = read(
      "CREATE VIEW between AS SELECT 1 AS a; CREATE MATERIALIZED VIEW late AS SELECT a FROM between;"
      "CREATE MATERIALIZED VIEW base AS SELECT 2 AS a; CREATE OR REPLACE VIEW between AS SELECT a FROM base;"
      "CREATE MATERIALIZED VIEW last AS SELECT a FROM late; CREATE MATERIALIZED VIEW empty AS SELECT 1 WITH "
      "NO DATA");
  EXPECT_THAT(names_of(catalog.materialized_views, [](const auto& name) { return name.name; }),
              ElementsAre("base", "last", "late"));
  const auto place = [&](const char* name) {
    return std::ranges::find(catalog.materialized_views, QualifiedName{"public", name}) -
           catalog.materialized_views.begin();
  };
  EXPECT_LT(place("base"), place("late"));
  EXPECT_LT(place("late"), place("last"));
}

TEST_P(CatalogServer, OfAnExtensionOnlyItsConfigurationTablesAreTheUsers) {
  const auto catalog = read(
      "CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE TABLE ext.internal (a int PRIMARY KEY);"
      "CREATE TABLE ext.config (a int); CREATE TABLE ext.all_config (a int); CREATE TABLE ext.users_own (a "
      "int);"
      "ALTER EXTENSION hstore ADD TABLE ext.internal; ALTER EXTENSION hstore ADD TABLE ext.config;"
      "ALTER EXTENSION hstore ADD TABLE ext.all_config;"
      "UPDATE pg_extension SET extconfig = ARRAY['ext.config'::regclass::oid, "
      "'ext.all_config'::regclass::oid],"
      "extcondition = ARRAY['WHERE a > 10', ''] WHERE extname = 'hstore'");
  EXPECT_THAT(table_names(catalog), ElementsAre("ext.all_config", "ext.config", "ext.users_own"));
  EXPECT_THAT(catalog.indexes, IsEmpty());
  EXPECT_EQ(table(catalog, "config").extension_condition, "WHERE a > 10");
  EXPECT_EQ(table(catalog, "all_config").extension_condition, "");
  EXPECT_EQ(table(catalog, "users_own").extension_condition, std::nullopt);
  ASSERT_EQ(catalog.extensions.size(), 1U);
  EXPECT_EQ(catalog.extensions[0].name, "hstore");
  EXPECT_EQ(catalog.extensions[0].schema, "ext");
  EXPECT_FALSE(catalog.extensions[0].version.empty());
}

TEST_P(CatalogServer, TheDatabaseItself) {
  const auto name = database_.name();
  const auto catalog = read(
      fmt::format("COMMENT ON DATABASE {0} IS 'a comment'; ALTER DATABASE {0} SET work_mem = '5MB';"
                  "ALTER ROLE {1} IN DATABASE {0} SET search_path = a, b; SELECT lo_create(0), lo_create(0)",
                  name, role_.name()));
  EXPECT_EQ(catalog.database.name, name);
  EXPECT_EQ(catalog.database.encoding, "UTF8");
  EXPECT_EQ(catalog.database.collation, "C.UTF-8");
  EXPECT_EQ(catalog.database.comment, "a comment");
  ASSERT_EQ(catalog.database.settings.size(), 2U);
  EXPECT_EQ(catalog.database.settings[0].role, "");
  EXPECT_EQ(catalog.database.settings[0].setting, "work_mem=5MB");
  EXPECT_EQ(catalog.database.settings[1].role, role_.name());
  EXPECT_EQ(catalog.database.settings[1].setting, "search_path=a, b");
  EXPECT_EQ(catalog.large_objects, 2U);
}

/// "owns granted named", as far as it is so.
std::string use_of(const Catalog& catalog, const std::string& role) {
  for (const auto& use : catalog.roles)
    if (use.name == role)
      return fmt::format("{}{}{}", use.owns ? "owns " : "", use.granted ? "granted " : "",
                         use.named ? "named" : "");
  return "none";
}

TEST_P(CatalogServer, RolesThatThisDatabaseNeeds) {
  const support::TestRole stranger(cluster(), "NOLOGIN");
  const auto catalog = read(fmt::format("CREATE TABLE t (); GRANT SELECT ON t TO {}", role_.name()));
  EXPECT_EQ(use_of(catalog, role_.name()), "granted ");
  EXPECT_EQ(use_of(catalog, "postgres"), "owns ");
  EXPECT_EQ(use_of(catalog, stranger.name()), "none");
}

TEST_P(CatalogServer, OwnersAndPolicyRolesAndThoseOfSettingsAreNeededToo) {
  const support::TestRole policy_role(cluster(), "NOLOGIN");
  const support::TestRole set_role(cluster(), "NOLOGIN");
  const support::TestRole default_role(cluster(), "NOLOGIN");
  {
    const support::TestDatabase database(cluster());
    database.exec(
        fmt::format("CREATE TABLE t (); ALTER TABLE t OWNER TO {}; CREATE TABLE u ();"
                    "CREATE POLICY p ON u TO {}; ALTER ROLE {} IN DATABASE {} SET work_mem = '5MB';"
                    "ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT SELECT ON TABLES TO PUBLIC",
                    role_.name(), policy_role.name(), set_role.name(), database.name(), default_role.name()));
    auto connection = test::open(database);
    const auto catalog = read_catalog(connection);
    EXPECT_EQ(table(catalog, "t").owner, role_.name());
    EXPECT_EQ(use_of(catalog, role_.name()), "owns ");
    EXPECT_EQ(use_of(catalog, policy_role.name()), "named");
    EXPECT_EQ(use_of(catalog, set_role.name()), "named");
    EXPECT_EQ(use_of(catalog, default_role.name()), "granted ");
  }
}

TEST_P(CatalogServer, ASnapshotsSessionSeesTheSnapshotsTables) {
  database_.exec("CREATE TABLE before ()");
  SnapshotKeeper keeper(test::open(database_));
  database_.exec("CREATE TABLE after ()");
  EXPECT_THAT(table_names(read_catalog(keeper.connection())), ElementsAre("public.before"));
}

TEST_P(CatalogServer, ATableDroppedAfterTheSnapshotHasNoSize) {
  database_.exec("CREATE TABLE doomed (a int PRIMARY KEY); INSERT INTO doomed VALUES (1)");
  SnapshotKeeper keeper(test::open(database_));
  database_.exec("DROP TABLE doomed");
  const auto catalog = read_catalog(keeper.connection());
  EXPECT_EQ(table(catalog, "doomed").bytes, 0U);
}

}  // namespace
}  // namespace pg
