// Extensions: configuration tables, whose rows are the user's only where the extension says so. Version 18
// finds extensions in any directory, so the tests install one of their own there; 15 would need root for
// that, so there the catalog row of an installed one is told that a table is its configuration.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OwnExtension : public ::testing::Test {
 protected:
  OwnExtension() {
    const auto extension = directory_ / "extension";
    std::filesystem::create_directories(extension);
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    spill(extension / "keeper.control", "default_version = '1.0'\nrelocatable = false\nschema = keeper\n");
    spill(extension / "keeper--1.0.sql", R"(
      CREATE TABLE keeper.settings (name text PRIMARY KEY, value text, builtin bool NOT NULL DEFAULT false);
      CREATE TABLE keeper.jobs (id serial PRIMARY KEY, what text);
      CREATE TABLE keeper.internal (a int);
      INSERT INTO keeper.settings VALUES ('version', '1.0', true), ('mode', 'safe', true);
      INSERT INTO keeper.internal VALUES (1);
      SELECT pg_extension_config_dump('keeper.settings', 'WHERE NOT builtin');
      SELECT pg_extension_config_dump('keeper.jobs', '');
      SELECT pg_extension_config_dump('keeper.jobs_id_seq', '');)");
  }
  void install(const support::TestDatabase& database) const {
    database.exec(fmt::format("ALTER DATABASE {} SET extension_control_path = '{}:$system'", database.name(),
                              directory_.path().string()));
    database.exec("CREATE SCHEMA keeper");
    database.exec("CREATE EXTENSION keeper");
  }

 private:
  support::TempDir directory_;
};

TEST_F(OwnExtension, OnlyTheUsersRowsOfItsConfigurationAreCopied) {
  const Move move({}, {}, 18, 18);
  install(move.source);
  install(move.target);
  // What the extension brings differs on the target, and must stay.
  move.target.exec(
      "UPDATE keeper.settings SET value = '1.1' WHERE name = 'version'; UPDATE keeper.internal SET a = 2");
  move.source.exec(R"(
    INSERT INTO keeper.settings SELECT 'mine ' || i, repeat('x', 100) FROM generate_series(1, 1000) i;
    INSERT INTO keeper.jobs (what) VALUES ('a'), ('b'))");
  ASSERT_TRUE(exits(move.copy({"--schema", "none", "--split-size", "8kB"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM keeper.settings WHERE name LIKE 'mine%'"), "1000");
  EXPECT_EQ(move.target.value("SELECT value FROM keeper.settings WHERE name = 'version'"), "1.1");
  EXPECT_EQ(move.target.value("SELECT a FROM keeper.internal"), "2");
  EXPECT_EQ(move.target.value("SELECT nextval('keeper.jobs_id_seq')"), "3");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM keeper.jobs"), "2");
}

TEST(Extensions, InAnotherSchemaOfTheTargetAreNamed) {
  const Move move("CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext", "CREATE EXTENSION hstore");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(
      text_of(result),
      AllOf(HasSubstr("extension hstore: is in schema public on the target, and in ext at the source"),
            HasSubstr("ALTER EXTENSION \"hstore\" SET SCHEMA \"ext\"")));
}

// ------------------------------------------------------------------------------------ the same on version 15

constexpr const char* kDisguise = R"(
  CREATE EXTENSION hstore;
  CREATE TABLE public.conf (name text PRIMARY KEY, builtin bool);
  CREATE TABLE public.jobs (id int PRIMARY KEY);
  INSERT INTO public.conf VALUES ('brought along', true);
  ALTER EXTENSION hstore ADD TABLE public.conf;
  ALTER EXTENSION hstore ADD TABLE public.jobs;
  SET allow_system_table_mods = on;
  UPDATE pg_extension SET extconfig = ARRAY['public.conf'::regclass::oid, 'public.jobs'::regclass::oid],
                          extcondition = ARRAY['  wHeRe NOT builtin', ''] WHERE extname = 'hstore')";

TEST(ConfigurationTables, AreCopiedWithTheSchemaToo) {
  const Move move(kDisguise, kDisguise);
  move.source.exec(
      "INSERT INTO conf SELECT 'mine ' || i, false FROM generate_series(1, 100) i; INSERT INTO jobs VALUES "
      "(1), (2); "
      "CREATE TABLE other AS SELECT 1 AS a");
  move.target.exec("UPDATE conf SET name = 'brought by the target'");
  ASSERT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM conf"), "101");
  EXPECT_EQ(move.target.value("SELECT name FROM conf WHERE builtin"), "brought by the target");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM jobs"), "2");
  // Starting over leaves the extension's own rows and tables alone.
  move.source.exec("INSERT INTO conf VALUES ('one more', false); INSERT INTO jobs VALUES (3)");
  ASSERT_TRUE(exits(move.copy({"--restart", "--yes"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM conf"), "102");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM jobs"), "3");
}

TEST(ConfigurationTables, HaveTheUsersRowFilterOnTop) {
  const Move move(kDisguise, kDisguise);
  move.source.exec("INSERT INTO conf SELECT 'mine ' || i, false FROM generate_series(1, 10) i");
  ASSERT_TRUE(exits(move.copy({"--where", "public.conf=name <> 'mine 3' OR builtin"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM conf WHERE NOT builtin"), "9");
}

TEST(Extensions, ThatTheTargetDoesNotOfferAreNamed) {
  const Move move(R"(
    CREATE EXTENSION hstore;
    SET allow_system_table_mods = on;
    UPDATE pg_extension SET extname = 'from_nowhere' WHERE extname = 'hstore')");
  const auto before = support::schema_dump(move.target.url());
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("extension from_nowhere"), HasSubstr("the target does not offer it"),
                    HasSubstr("fix: install it on the target"), HasSubstr("nothing was changed")));
  EXPECT_EQ(support::schema_dump(move.target.url()), before);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
}

TEST(Extensions, TypesAndOperatorsOfContribWork) {
  const Move move(R"(
    CREATE SCHEMA ext;
    CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin;
    CREATE TABLE t (id citext PRIMARY KEY, h ext.hstore, x text, c int);
    CREATE INDEX ON t USING gin (x gin_trgm_ops, c);
    CREATE INDEX ON t USING gist (h ext.gist_hstore_ops);
    INSERT INTO t SELECT 'K' || i, ext.hstore('a', i::text), 'text ' || i, i FROM generate_series(1, 1000) i)");
  move.expect_equal_copy({"--split-size", "8kB"});
  move.expect_equal_schema();
}

}  // namespace
}  // namespace copy::test
