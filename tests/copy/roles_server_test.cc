// Owners, grants, policies and default privileges, under other names or not at all.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Roles with the same name on both servers; mapped ones exist on one side only.
class Roles : public ::testing::Test {
 protected:
  Roles()
      : old_owner(source_server()),
        old_app(source_server()),
        new_owner(target_server()),
        new_app(target_server()) {
    // Names must not be the same by chance: the old ones would be found.
    target_server().exec("postgres",
                         fmt::format("ALTER ROLE {} RENAME TO \"New Owner\"; ALTER ROLE {} RENAME TO new_app",
                                     new_owner.name(), new_app.name()));
    source_server().exec("postgres",
                         fmt::format("ALTER ROLE {} RENAME TO \"old-owner\"; ALTER ROLE {} RENAME TO old_app",
                                     old_owner.name(), old_app.name()));
    source.emplace(source_server());
    target.emplace(target_server());
    source->exec(R"(
      CREATE SCHEMA s AUTHORIZATION "old-owner";
      CREATE TABLE s.t (id serial PRIMARY KEY, owner text);
      ALTER TABLE s.t OWNER TO "old-owner";
      GRANT SELECT, INSERT ON s.t TO old_app WITH GRANT OPTION;
      GRANT UPDATE (owner) ON s.t TO old_app;
      GRANT USAGE ON SCHEMA s TO old_app;
      ALTER TABLE s.t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON s.t TO old_app USING (owner = 'old_app');
      ALTER DEFAULT PRIVILEGES FOR ROLE "old-owner" IN SCHEMA s GRANT SELECT ON TABLES TO old_app;
      CREATE FUNCTION s.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT 'OWNER TO old_app' $$;
      ALTER FUNCTION s.f() OWNER TO "old-owner";
      REVOKE ALL ON FUNCTION s.f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.f() TO old_app;
      SELECT lo_from_bytea(5, 'x'); ALTER LARGE OBJECT 5 OWNER TO old_app;
      INSERT INTO s.t (owner) VALUES ('old_app'), ('else'))");
    source->exec(fmt::format("ALTER ROLE old_app IN DATABASE {} SET work_mem = '5MB'", source->name()));
  }
  ~Roles() override {
    source.reset();
    target.reset();
    target_server().exec("postgres",
                         fmt::format("ALTER ROLE \"New Owner\" RENAME TO {}; ALTER ROLE new_app RENAME TO {}",
                                     new_owner.name(), new_app.name()));
    source_server().exec("postgres",
                         fmt::format("ALTER ROLE \"old-owner\" RENAME TO {}; ALTER ROLE old_app RENAME TO {}",
                                     old_owner.name(), old_app.name()));
  }
  support::ProcessResult copy(const Arguments& arguments) const {
    return Copy(source->url(), target->url()).copy(arguments);
  }
  void expect_equal() const { EXPECT_THAT(differences(*target, *source), ::testing::IsEmpty()); }

  support::TestRole old_owner, old_app, new_owner, new_app;
  std::optional<support::TestDatabase> source, target;
};

constexpr const char* kRoles = R"(
  SELECT concat_ws(' | ', (SELECT relowner::regrole FROM pg_class WHERE relname = 't'), (SELECT relacl FROM pg_class WHERE relname = 't'),
    (SELECT attacl FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname = 'owner'),
    (SELECT polroles::regrole[] FROM pg_policy), (SELECT pg_get_expr(polqual, polrelid) FROM pg_policy),
    (SELECT nspacl FROM pg_namespace WHERE nspname = 's'), (SELECT defaclrole::regrole::text || defaclacl::text FROM pg_default_acl),
    (SELECT proowner::regrole::text || proacl::text || prosrc FROM pg_proc WHERE proname = 'f'),
    (SELECT lomowner::regrole FROM pg_largeobject_metadata),
    (SELECT setrole::regrole::text || setconfig::text FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
    (SELECT relowner::regrole FROM pg_class WHERE relname = 't_id_seq')))";

TEST_F(Roles, AreMappedEverywhereAndOnlyWhereTheyAreRoles) {
  EXPECT_TRUE(exits(copy({"--role-map", "old-owner=New Owner,old_app=new_app"}), 0));
  expect_equal();
  auto expected = source->value(kRoles);
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (auto at = expected.find(from); at != std::string::npos; at = expected.find(from, at + to.size()))
      expected.replace(at, from.size(), to);
  };
  replace("\"old-owner\"", "\"New Owner\"");
  replace("\\\"old-owner\\\"", "\\\"New Owner\\\"");
  replace("old_app", "new_app");
  // Inside strings nothing is a role.
  replace("'new_app'", "'old_app'");
  replace("OWNER TO new_app", "OWNER TO old_app");
  EXPECT_EQ(target->value(kRoles), expected);
}

TEST_F(Roles, ThatAreMissingAreNamedWithTheStatementThatMakesThem) {
  const auto before = support::schema_dump(target->url());
  const auto result = copy({"--role-map", "old_app=new_app"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("CREATE ROLE \"old-owner\""),
                                  Not(HasSubstr("CREATE ROLE \"old_app\"")), HasSubstr("--role-map")));
  EXPECT_EQ(support::schema_dump(target->url()), before);
}

TEST_F(Roles, OfAMappingThatAreMissingAreNamedToo) {
  const auto result = copy({"--role-map", "old_app=nobody_here,old-owner=New Owner"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("CREATE ROLE \"nobody_here\""));
}

TEST_F(Roles, AreLeftOutWithNoOwnersAndNoGrants) {
  // A policy and a role's settings still name roles.
  source->exec("DROP POLICY p ON s.t");
  source->exec(fmt::format("ALTER ROLE old_app IN DATABASE {} RESET ALL", source->name()));
  EXPECT_TRUE(exits(copy({"--no-owners", "--no-grants"}), 0));
  expect_equal();
  EXPECT_EQ(target->value(
                "SELECT relowner::regrole || coalesce(relacl::text, '-') FROM pg_class WHERE relname = 't'"),
            "postgres-");
  EXPECT_EQ(target->value("SELECT count(*) FROM pg_default_acl"), "0");
}

TEST_F(Roles, ThatAPolicyOrASettingNamesAreNeededInAnyCase) {
  const auto before = support::schema_dump(target->url());
  const auto result = copy({"--no-owners", "--no-grants"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("role old_app: does not exist on the target, and a policy"),
                                  HasSubstr("--role-map 'old_app=EXISTING'"), Not(HasSubstr("old-owner"))));
  EXPECT_EQ(support::schema_dump(target->url()), before);
  EXPECT_TRUE(exits(copy({"--no-owners", "--no-grants", "--role-map", "old_app=new_app"}), 0));
  expect_equal();
}

TEST_F(Roles, WithNoOwnersKeepTheirGrants) {
  EXPECT_TRUE(exits(copy({"--no-owners", "--role-map", "old-owner=New Owner,old_app=new_app"}), 0));
  EXPECT_THAT(target->value(kRoles), AllOf(HasSubstr("postgres | "), HasSubstr("new_app=")));
}

TEST_F(Roles, ThatGrantedWhatTheyWereGrantedAreMappedToo) {
  source->exec("SET ROLE old_app; GRANT SELECT ON s.t TO PUBLIC");
  EXPECT_TRUE(exits(copy({"--role-map", "old-owner=New Owner,old_app=new_app"}), 0));
  EXPECT_THAT(target->value("SELECT relacl FROM pg_class WHERE oid = 's.t'::regclass"),
              HasSubstr("=r/new_app"));
}

TEST(Privileges, ThatAreMissingAreNamedWithTheGrant) {
  const support::TestRole reader(source_server());
  const Move move(
      "CREATE SCHEMA s; CREATE TABLE s.t (id serial); CREATE TABLE u (id int); CREATE TABLE v (id int); "
      "INSERT INTO u VALUES (1)");
  move.source.exec("GRANT SELECT ON v TO " + reader.name());
  const auto result = Copy(move.source.url(reader.name()), move.target.url()).copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(
      result.error,
      AllOf(HasSubstr(fmt::format("GRANT USAGE ON SCHEMA \"s\" TO \"{}\"", reader.name())),
            HasSubstr(fmt::format("GRANT SELECT ON \"s\".\"t\" TO \"{}\"", reader.name())),
            HasSubstr(fmt::format("GRANT SELECT ON \"public\".\"u\" TO \"{}\"", reader.name())),
            HasSubstr(fmt::format("GRANT SELECT ON SEQUENCE \"s\".\"t_id_seq\" TO \"{}\"", reader.name())),
            Not(HasSubstr("\"public\".\"v\""))));
  // With exactly these, it runs.
  move.source.exec(
      fmt::format("GRANT USAGE ON SCHEMA s TO {0}; GRANT SELECT ON s.t, u TO {0}; GRANT SELECT ON SEQUENCE "
                  "s.t_id_seq TO {0}",
                  reader.name()));
  const Arguments without_roles{"--no-owners", "--no-grants"};
  EXPECT_TRUE(exits(Copy(move.source.url(reader.name()), move.target.url()).copy(without_roles), 0));
  move.expect_equal();
}

TEST(Privileges, OnLargeObjectsAreNamedTooAndAreEnough) {
  const support::TestRole reader(source_server(), "LOGIN");
  const Move move("SELECT lo_from_bytea(4711, 'a'), lo_from_bytea(4712, 'b')");
  move.source.exec("GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC");
  const Copy way(move.source.url(reader.name()), move.target.url());
  const auto result = way.copy({"--no-grants"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("large objects: this role may not read 1 of them at the source"),
                                  HasSubstr(fmt::format("TO \"{}\"', oid)", reader.name()))));
  move.source.exec(fmt::format("GRANT SELECT ON LARGE OBJECT 4712 TO {}", reader.name()));
  EXPECT_TRUE(exits(way.copy({"--no-grants"}), 0));
  move.expect_equal();
}

/// A role of the same name on both servers.
class SharedRole {
 public:
  explicit SharedRole(std::string_view options = "NOLOGIN") : at_source_(source_server(), options) {
    target_server().exec("postgres", fmt::format("CREATE ROLE {} {}", name(), options));
  }
  SharedRole(const SharedRole&) = delete;
  SharedRole& operator=(const SharedRole&) = delete;
  ~SharedRole() { target_server().exec("postgres", "DROP ROLE " + name()); }
  const std::string& name() const { return at_source_.name(); }

 private:
  support::TestRole at_source_;
};

/// A role at the source that has this name as long as it lives.
class OtherName {
 public:
  explicit OtherName(std::string name) : role_(source_server(), "NOLOGIN"), name_(std::move(name)) {
    rename(role_.name(), name_);
  }
  OtherName(const OtherName&) = delete;
  OtherName& operator=(const OtherName&) = delete;
  ~OtherName() { rename(name_, role_.name()); }

 private:
  static void rename(const std::string& from, const std::string& to) {
    source_server().exec("postgres", fmt::format("ALTER ROLE {} RENAME TO {}", from, to));
  }

  support::TestRole role_;
  std::string name_;
};

// To the server they are warnings: the role has some privilege itself, and none to give.
TEST(Privileges, ThatThisRoleMayNotGiveFailTheirItem) {
  const SharedRole reader;
  const support::TestRole writer(target_server());
  const Move move("CREATE SCHEMA app; CREATE TABLE app.t (id int)", "CREATE SCHEMA app");
  move.source.exec(
      fmt::format("GRANT USAGE ON SCHEMA app TO {0}; GRANT SELECT ON app.t TO {0}", reader.name()));
  move.target.exec(
      fmt::format("GRANT USAGE, CREATE ON SCHEMA app TO {0}; GRANT CREATE ON DATABASE {1} TO {0}",
                  writer.name(), move.target.name()));
  const Copy way(move.source.url(), move.target.url(writer.name()));
  const auto result = way.copy({"--no-owners"});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("schema app"), HasSubstr("no privileges were granted for \"app\""),
                    HasSubstr("--no-grants")));
  // What it may give is given all the same.
  EXPECT_EQ(
      move.target.value(fmt::format("SELECT has_table_privilege('{}', 'app.t', 'SELECT')", reader.name())),
      "t");
  move.target.exec(fmt::format("ALTER SCHEMA app OWNER TO {}", writer.name()));
  EXPECT_TRUE(exits(way.copy({"--no-owners"}), 0));
  EXPECT_EQ(
      move.target.value(fmt::format("SELECT has_schema_privilege('{}', 'app', 'USAGE')", reader.name())),
      "t");
}

TEST(Privileges, OfTheProvidersRolesAreLeftOutAndNoOthers) {
  const SharedRole reader;
  const OtherName vendor("neon_superuser");
  {
    const Move move("CREATE TABLE t (id int)");
    move.source.exec(
        fmt::format("GRANT ALL ON SCHEMA public TO neon_superuser; GRANT USAGE ON SCHEMA public TO {0}; "
                    "GRANT SELECT ON t TO neon_superuser, {0}; GRANT SELECT ON t TO pg_monitor; "
                    "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO neon_superuser; ALTER DEFAULT "
                    "PRIVILEGES GRANT SELECT ON TABLES TO {0}",
                    reader.name()));
    const auto result = move.copy();
    EXPECT_TRUE(exits(result, 0));
    EXPECT_THAT(text_of(result), HasSubstr("without what the provider's roles have"));
    const auto granted =
        "SELECT concat_ws(' ', (SELECT relacl FROM pg_class WHERE oid = 't'::regclass), (SELECT nspacl FROM "
        "pg_namespace WHERE "
        "nspname = 'public'), (SELECT defaclacl FROM pg_default_acl))";
    EXPECT_THAT(move.target.value(granted),
                AllOf(Not(HasSubstr("neon_superuser")), HasSubstr(reader.name() + "=r/"),
                      HasSubstr("pg_monitor=r/"), HasSubstr(reader.name() + "=U/")));
    EXPECT_EQ(
        move.target.value(fmt::format("SELECT has_table_privilege('{}', 't', 'SELECT')", reader.name())),
        "t");
    // A name on the target says that it is wanted.
    const Move mapped("CREATE TABLE t (id int)");
    mapped.source.exec("GRANT SELECT ON t TO neon_superuser");
    EXPECT_TRUE(exits(mapped.copy({"--role-map", "neon_superuser=" + reader.name()}), 0));
    EXPECT_THAT(mapped.target.value("SELECT relacl FROM pg_class WHERE oid = 't'::regclass"),
                HasSubstr(reader.name() + "=r/"));
  }
}

TEST(Privileges, ThatTheTargetGivesByDefaultAreNamed) {
  const Move move(
      "CREATE TABLE t (id int)",
      "CREATE SCHEMA other; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC; "
      "ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT SELECT ON TABLES TO PUBLIC");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(
      text_of(result),
      AllOf(HasSubstr(
                "default privileges: the target has some for TABLES made by this role IN SCHEMA \"public\""),
            Not(HasSubstr("\"other\""))));
}

// As pg_dump writes it of every source before 15.
TEST(Privileges, OnTheSchemaPublicNeedNotBeGrantedWhereEverybodyHasThem) {
  const support::TestRole writer(target_server());
  const Move move(
      "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC; CREATE TABLE t (id "
      "int)");
  move.target.exec(fmt::format("GRANT CREATE ON DATABASE {1} TO {0}; GRANT CREATE ON SCHEMA public TO {0}",
                               writer.name(), move.target.name()));
  const Copy way(move.source.url(), move.target.url(writer.name()));
  const auto result = way.copy({"--no-owners"});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, HasSubstr("for \"public\""));
  move.target.exec("GRANT ALL ON SCHEMA public TO PUBLIC");
  EXPECT_TRUE(exits(way.copy({"--no-owners"}), 0));
}

TEST(Analyze, ThatThisRoleMayNotIsNoted) {
  const support::TestRole writer(target_server());
  const Move move("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", "CREATE TABLE t (id int)");
  move.target.exec(fmt::format("GRANT ALL ON t TO {0}; GRANT CREATE ON DATABASE {1} TO {0}", writer.name(),
                               move.target.name()));
  const auto result = Copy(move.source.url(), move.target.url(writer.name())).copy({"--schema", "none"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, AllOf(HasSubstr("analyze public.t"), HasSubstr("skipping")));
}

TEST(Privileges, ToCreateOnTheTargetAreNamed) {
  const support::TestRole writer(target_server());
  const Move move("CREATE TABLE t (id int)");
  const auto result = Copy(move.source.url(), move.target.url(writer.name())).copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr(fmt::format("GRANT CREATE ON DATABASE \"{}\" TO \"{}\"",
                                                  move.target.name(), writer.name())));
}

TEST(RowSecurity, WithoutBypassIsAnErrorAndNeverZeroRows) {
  const support::TestRole reader(source_server());
  const Move move(
      "CREATE TABLE t (id int, owner text); INSERT INTO t VALUES (1, 'a'), (2, 'b'); ALTER TABLE t ENABLE "
      "ROW LEVEL SECURITY; "
      "CREATE TABLE forced (id int); INSERT INTO forced VALUES (1)");
  move.source.exec(
      fmt::format("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}; ALTER TABLE forced OWNER TO {0}; "
                  "ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
                  reader.name()));
  const Copy way(move.source.url(reader.name()), move.target.url());
  for (const Arguments& arguments : {Arguments{}, Arguments{"--no-owners", "--no-grants"}}) {
    const auto result = way.copy(arguments);
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(result.error,
                AllOf(HasSubstr("table public.t"), HasSubstr("table public.forced"), HasSubstr("BYPASSRLS")));
  }
  const auto bypass = fmt::format("ALTER ROLE {} BYPASSRLS", reader.name());
  source_server().exec("postgres", bypass);
  EXPECT_TRUE(exits(way.copy({"--no-owners", "--no-grants"}), 0));
  move.expect_equal();
}

}  // namespace
}  // namespace copy::test
