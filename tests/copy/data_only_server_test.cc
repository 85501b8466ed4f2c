// --schema none: the application's own migrations made the target's schema. Constraints and triggers are out
// of the way while rows are loaded, and exactly what they were afterwards.

#include <fmt/format.h>

#include "tests/copy/fixture.h"
#include "tests/copy/sample.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Arguments kDataOnly{"--schema", "none", "--split-size", "8kB", "--jobs", "2"};

/// Whatever could be lost: every constraint and trigger with its state and comment.
constexpr const char* kState = R"(
  SELECT string_agg(line, E'\n' ORDER BY line) FROM (
    SELECT format('%s %s %s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid),
                  obj_description(oid, 'pg_constraint')) FROM pg_constraint WHERE conrelid <> 0 AND connamespace::regnamespace::text <> 'cutover'
    UNION ALL
    SELECT format('%s %s %s', pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger')) FROM pg_trigger t
     WHERE NOT tgisinternal) x(line))";

constexpr const char* kMigratedSchema = R"(
  CREATE TABLE parent (id int PRIMARY KEY, v int);
  CREATE TABLE child (id int PRIMARY KEY, parent int, self int, part int, v int);
  CREATE TABLE part (id int PRIMARY KEY, parent int CONSTRAINT part_fk REFERENCES parent) PARTITION BY RANGE (id);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
  CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (100000);
  ALTER TABLE child ADD CONSTRAINT "Odd ""name""" FOREIGN KEY (parent) REFERENCES parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
                    ADD CONSTRAINT itself FOREIGN KEY (self) REFERENCES child,
                    ADD CONSTRAINT to_part FOREIGN KEY (part) REFERENCES part,
                    ADD CONSTRAINT late FOREIGN KEY (v) REFERENCES parent NOT VALID;
  COMMENT ON CONSTRAINT itself ON child IS 'it''s a tree';
  CREATE TABLE audit (what text);
  CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.audit VALUES (TG_NAME); NEW.v := -1; RETURN NEW; END $$;
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (TG_NAME); RETURN NULL; END $$;
  CREATE TRIGGER normal BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION spoil();
  CREATE TRIGGER disabled BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION spoil();
  CREATE TRIGGER always BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION spoil();
  CREATE TRIGGER "Replica only" BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION spoil();
  CREATE TRIGGER statement AFTER INSERT OR DELETE ON parent EXECUTE FUNCTION note();
  CREATE TRIGGER on_root AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION note();
  CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON parent DEFERRABLE FOR EACH ROW EXECUTE FUNCTION note();
  ALTER TABLE child DISABLE TRIGGER disabled, ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER "Replica only";
  ALTER TABLE part ENABLE ALWAYS TRIGGER on_root;
  COMMENT ON TRIGGER always ON child IS 'always')";

constexpr const char* kRows = R"(
  SET session_replication_role = replica;
  ALTER TABLE child DISABLE TRIGGER ALL; ALTER TABLE part DISABLE TRIGGER ALL;
  INSERT INTO parent SELECT i, i FROM generate_series(1, 1000) i;
  INSERT INTO part SELECT i, i FROM generate_series(1, 1000) i;
  INSERT INTO child SELECT i, 1001 - i, 1001 - i, i, 1 + i % 10 FROM generate_series(1, 1000) i;
  INSERT INTO audit VALUES ('one'), ('two'))";

TEST(DataOnly, AsSuperuser) {
  const Move move(kMigratedSchema, kMigratedSchema);
  move.source.exec(kRows);
  const auto before = move.target.value(kState);
  move.expect_equal_copy(kDataOnly);
  EXPECT_EQ(move.target.value(kState), before);
}

// Servers before 15 call a partition's clone of its parent's trigger internal.
TEST(DataOnly, ATriggerOfAPartitionedTableDoesNotFireOnServersBefore15) {
  const Move move({}, {}, 14, 14);
  for (const auto* database : {&move.source, &move.target})
    database->exec(R"(
      CREATE TABLE audit (what text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.audit VALUES (TG_NAME); RETURN NULL; END $$;
      CREATE TABLE part (id int) PARTITION BY RANGE (id);
      CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
      CREATE TRIGGER on_root AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION note();
      ALTER TABLE part ENABLE ALWAYS TRIGGER on_root;
      ALTER TABLE part_1 ENABLE ALWAYS TRIGGER on_root)");
  move.source.exec("INSERT INTO part VALUES (1), (2); TRUNCATE audit");
  const auto* state =
      "SELECT string_agg(tgrelid::regclass || tgname || tgenabled, ' ' ORDER BY 1) FROM "
      "(SELECT * FROM pg_trigger ORDER BY tgrelid) t";
  const auto before = move.target.value(state);
  move.expect_equal_copy(kDataOnly);
  EXPECT_EQ(move.target.value(state), before);
}

class AsOwner : public ::testing::Test {
 protected:
  AsOwner() : role(target_server()) {
    target_server().exec("postgres",
                         fmt::format("ALTER DATABASE {} OWNER TO {}", move.target.name(), role.name()));
  }
  /// The target's schema belongs to a role that may not set session_replication_role.
  void make_target(const std::string& sql) const {
    move.target.exec("GRANT CREATE ON SCHEMA public TO " + role.name());
    move.target.exec(fmt::format("SET ROLE {}; {}", role.name(), sql));
  }
  support::TestRole role;
  Move move;
  Copy way{move.source.url(), move.target.url(role.name())};
};

TEST_F(AsOwner, ConstraintsAndTriggersComeBackExactly) {
  move.source.exec(kMigratedSchema);
  move.source.exec(kRows);
  make_target(kMigratedSchema);
  const auto before = move.target.value(kState);
  EXPECT_TRUE(exits(way.copy(kDataOnly), 0));
  EXPECT_EQ(move.target.value(kState), before);
  move.expect_equal();
}

/// Killed again and again: when the first chunk is on its way, when many are there, when all are.
void expect_back_after_kills(const Copy& way) {
  for (const auto* point : {"chunk_copy.before", "ledger_commit.after:9", "sequences.before"})
    way.crash_at(point, kDataOnly);
  EXPECT_TRUE(exits(way.copy(kDataOnly), 0));
}

TEST_F(AsOwner, ConstraintsAndTriggersComeBackAfterKillsToo) {
  move.source.exec(kMigratedSchema);
  move.source.exec(kRows);
  make_target(kMigratedSchema);
  const auto before = move.target.value(kState);
  expect_back_after_kills(way);
  EXPECT_EQ(move.target.value(kState), before);
  move.expect_equal();
}

// They would keep old rows, or write to a table that the run leaves alone.
TEST_F(AsOwner, RulesDoNotActOnTheRemovalOfOldRows) {
  constexpr const char* kTables =
      "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (id int); "
      "CREATE TABLE u (id int PRIMARY KEY, v text)";
  move.source.exec(kTables);
  for (const auto* table : {"t", "u"})
    move.source.exec(
        fmt::format("INSERT INTO {} SELECT i, repeat('v', 100) FROM generate_series(1, 2000) i", table));
  make_target(kTables + std::string("; CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING; CREATE RULE "
                                    "note AS ON DELETE TO u DO ALSO INSERT INTO log VALUES (OLD.id)"));
  const auto* state =
      "SELECT string_agg(rulename || ev_enabled::text, ' ' ORDER BY rulename) FROM pg_rewrite WHERE ev_type "
      "= '4'";
  const auto before = move.target.value(state);
  Arguments arguments{"--schema", "none", "--split-size", "16kB", "--jobs", "1", "--exclude", "public.log"};
  way.crash_at("sequences.before", arguments);
  move.source.exec("UPDATE t SET v = 'new' WHERE id = 1; UPDATE u SET v = 'new' WHERE id = 1");
  EXPECT_TRUE(exits(way.copy(arguments), 0));
  EXPECT_EQ(move.target.value(state), before);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM log"), "0");
  move.expect_equal();
}

TEST(DataOnly, AsSuperuserWhoIsKilled) {
  const Move move(kMigratedSchema, kMigratedSchema);
  move.source.exec(kRows);
  const auto before = move.target.value(kState);
  expect_back_after_kills(move.way);
  EXPECT_EQ(move.target.value(kState), before);
  move.expect_equal();
}

TEST_F(AsOwner, AForeignKeyThatTheRowsViolateIsNamedWithTheStatementThatMakesIt) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)";
  move.source.exec(schema);
  move.source.exec("SET session_replication_role = replica; INSERT INTO c VALUES (7)");
  make_target(schema);
  const auto result = way.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("fk"), HasSubstr("ADD CONSTRAINT")));
  // Repaired, it comes back; and the row that repaired it is a difference.
  move.target.exec("INSERT INTO p VALUES (7)");
  EXPECT_TRUE(exits(way.copy(kDataOnly), 1));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_constraint WHERE conname = 'fk' AND convalidated"),
            "1");
}

TEST_F(AsOwner, CleaningAnUnfinishedRunBringsThemBackFirst) {
  move.source.exec(kMigratedSchema);
  move.source.exec(kRows);
  make_target(kMigratedSchema);
  const auto before = support::schema_dump(move.target.url());
  const auto state = move.target.value(kState);
  way.crash_at("chunk_copy.before", kDataOnly);
  EXPECT_NE(move.target.value(kState), state);
  const auto result = way.clean();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, AllOf(HasSubstr("restored foreign key itself of public.child"),
                                   HasSubstr("restored trigger always of public.child")));
  EXPECT_THAT(result.error, HasSubstr("NOT finished"));
  EXPECT_EQ(support::schema_dump(move.target.url()), before);
  EXPECT_EQ(move.target.value(kState), state);
}

TEST_F(AsOwner, AnotherRunDoesNotTakeWhatIsLeftForWhatWasThere) {
  move.source.exec(kMigratedSchema);
  move.source.exec(kRows);
  make_target(kMigratedSchema);
  const auto state = move.target.value(kState);
  way.crash_at("chunk_copy.before", kDataOnly);
  const Copy other(move.source.url(), move.target.url(role.name()));
  const auto refused = other.copy(kDataOnly);
  EXPECT_TRUE(exits(refused, 2));
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("has these put aside: foreign key"), HasSubstr("cutover clean")));
  EXPECT_TRUE(exits(other.clean(), 2)) << "it is not the other one's to give up";
  EXPECT_TRUE(exits(way.clean(), 0));
  EXPECT_TRUE(exits(other.copy(kDataOnly), 0));
  EXPECT_EQ(move.target.value(kState), state);
}

TEST_F(AsOwner, CleaningIsRefusedWhileTheRowsViolateOne) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)";
  move.source.exec(schema);
  move.source.exec(
      "INSERT INTO p SELECT generate_series(1, 9); INSERT INTO c SELECT i % 9 + 1 FROM "
      "generate_series(1, 5000) i");
  make_target(schema);
  way.crash_at("ledger_commit.after", {"--schema", "none", "--jobs", "1"});
  const auto refused = way.clean();
  EXPECT_TRUE(exits(refused, 3));
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("foreign key fk of public.c"), HasSubstr("ADD CONSTRAINT \"fk\" FOREIGN KEY")));
  // Nothing is lost by it: the run goes on.
  EXPECT_TRUE(exits(way.copy({"--schema", "none"}), 0));
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "t");
  EXPECT_TRUE(exits(way.clean(), 0));
}

TEST_F(AsOwner, StartingOverBringsThemBackToo) {
  move.source.exec(kMigratedSchema);
  move.source.exec(kRows);
  make_target(kMigratedSchema);
  const auto before = move.target.value(kState);
  way.crash_at("ledger_commit.after:9", kDataOnly);
  auto again = kDataOnly;
  again.insert(again.end(), {"--restart", "--yes"});
  EXPECT_TRUE(exits(way.copy(again), 0));
  EXPECT_EQ(move.target.value(kState), before);
  move.expect_equal();
}

TEST(DataOnly, CleaningAnUnfinishedRunNamesForeignKeysThatNobodyHasChecked) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO p VALUES (1); INSERT INTO c SELECT 1 FROM generate_series(1, 5000)");
  move.way.crash_at("ledger_commit.after", {"--schema", "none", "--jobs", "1"});
  const auto result = move.way.clean();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, HasSubstr("foreign key fk of public.c: 5000 rows refer to keys that public.p"));
}

TEST(DataOnly, AForeignKeyThatTheRowsViolateIsFoundAlsoByASuperuser) {
  const auto* schema = R"(
    CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p);
    CREATE TABLE parts (id int, p int CONSTRAINT parts_fk REFERENCES p) PARTITION BY LIST (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1))";
  const Move move(schema, schema);
  move.source.exec(
      "SET session_replication_role = replica; INSERT INTO c VALUES (7); INSERT INTO parts VALUES (1, 8)");
  const auto result = move.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("foreign key fk of public.c"), HasSubstr("parts_fk")));
}

// In replica role the trigger that looks at such a key at the end does not fire.
TEST(DataOnly, AKeyThatIsCheckedLateAndThatTheRowsViolateIsFoundAlsoByASuperuser) {
  const Move move(
      "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1); CREATE TABLE parts (id int) PARTITION BY LIST "
      "(id); "
      "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1), (1)",
      "CREATE TABLE t (id int CONSTRAINT k UNIQUE DEFERRABLE INITIALLY DEFERRED); "
      "CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION OF parts "
      "(CONSTRAINT parts_k UNIQUE (id) DEFERRABLE) FOR VALUES IN (1)");
  const auto result = move.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("constraint \"k\""), HasSubstr("parts_k")));
  EXPECT_EQ(move.target.value("SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM parts)"), "0");
}

TEST(DataOnly, ForeignKeysAreCheckedByTheirOwnOperator) {
  const auto* schema =
      "CREATE EXTENSION citext; CREATE TABLE p (name citext PRIMARY KEY); CREATE TABLE c (p citext "
      "REFERENCES p)";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO p VALUES ('One'); INSERT INTO c VALUES ('oNE')");
  move.expect_equal_copy(kDataOnly);
}

TEST(DataOnly, InheritanceChildrenDoNotCountForForeignKeys) {
  const auto* schema = R"(
    CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE c (p int REFERENCES p);
    CREATE TABLE cc () INHERITS (c))";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO cc VALUES (7)");
  move.expect_equal_copy(kDataOnly);
}

TEST(DataOnly, TheShop) {
  const Move move(kShop);
  const support::TestDatabase& target = move.target;
  // The same schema without its rows.
  const std::string shop = kShop;
  target.exec(shop.substr(0, shop.find("INSERT INTO")));
  target.exec(
      "CREATE TRIGGER mark BEFORE INSERT OR UPDATE ON shop.purchase FOR EACH ROW EXECUTE FUNCTION "
      "shop.mark()");
  move.expect_equal_copy(kDataOnly);
}

constexpr const char* kViews = R"(
  CREATE TABLE t (id int PRIMARY KEY);
  CREATE MATERIALIZED VIEW z AS SELECT count(*) AS n FROM t;
  CREATE MATERIALIZED VIEW a AS SELECT n + 1 AS n FROM z)";

TEST(DataOnly, MaterializedViewsAreRefreshedInTheirOrder) {
  const Move move(kViews, kViews);
  for (const auto* database : {&move.source, &move.target})
    database->exec(
        "CREATE MATERIALIZED VIEW not_at_target AS SELECT * FROM a; CREATE MATERIALIZED VIEW bare AS SELECT "
        "* FROM t");
  move.target.exec("DROP MATERIALIZED VIEW not_at_target; REFRESH MATERIALIZED VIEW bare WITH NO DATA");
  move.source.exec("INSERT INTO t VALUES (1), (2); REFRESH MATERIALIZED VIEW z; REFRESH MATERIALIZED VIEW a");
  const auto result = move.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT n FROM a"), "3");
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("materialized view public.not_at_target: does not exist on the target"),
                    HasSubstr("materialized view public.bare: is populated at the source and not on the "
                              "target")));
  EXPECT_THAT(move.way.run("verify").output, HasSubstr("a copy refreshes what the source has too"));
}

TEST_F(AsOwner, AMaterializedViewOfAnotherRoleIsNamedWithWhatIsMissing) {
  move.source.exec(kViews);
  move.source.exec("INSERT INTO t VALUES (1), (2); REFRESH MATERIALIZED VIEW z; REFRESH MATERIALIZED VIEW a");
  make_target(kViews);
  const support::TestRole other(target_server(), "NOLOGIN");
  move.target.exec(
      fmt::format("GRANT SELECT ON z TO {0}; GRANT CREATE ON SCHEMA public TO {0}; ALTER MATERIALIZED VIEW a "
                  "OWNER TO {0}",
                  other.name()));
  const auto result = way.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 3));
  const auto grant = fmt::format("GRANT \"{}\" TO \"{}\"", other.name(), role.name());
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("materialized view public.a: could not be refreshed"), HasSubstr(grant)));
  EXPECT_EQ(move.target.value("SELECT n FROM z"), "2") << "the others are";
  move.target.exec(grant);
  EXPECT_TRUE(exits(way.copy(kDataOnly), 0));
  EXPECT_EQ(move.target.value("SELECT n FROM a"), "3");
  move.target.exec("DROP MATERIALIZED VIEW a; DROP OWNED BY " + other.name());
}

struct Mismatch {
  const char* target;
  std::vector<std::string> named;
};

class DataOnlyMismatch : public ::testing::TestWithParam<Mismatch> {};

TEST_P(DataOnlyMismatch, IsNamedAndNothingIsChanged) {
  const Move move(
      "CREATE TABLE t (id int PRIMARY KEY, v varchar(10), w text, g int GENERATED ALWAYS AS (id + 1) "
      "STORED); "
      "INSERT INTO t VALUES (1, 'a', 'b')",
      GetParam().target);
  const auto before = support::database_digest(move.target.url());
  const auto result = move.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 2));
  for (const auto& text : GetParam().named) EXPECT_THAT(result.error, HasSubstr(text));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DataOnlyMismatch,
    ::testing::Values(
        Mismatch{"CREATE TABLE t (id int PRIMARY KEY, v varchar(9), w text)",
                 {"column v", "character varying(10)", "character varying(9)"}},
        Mismatch{"CREATE TABLE t (id bigint PRIMARY KEY, v varchar(10), w text)",
                 {"column id is integer at the source and bigint"}},
        Mismatch{"CREATE TABLE t (id int PRIMARY KEY, w text)", {"column v is missing"}},
        Mismatch{
            "CREATE TABLE t (id int PRIMARY KEY, v varchar(10), w text GENERATED ALWAYS AS ('x') STORED)",
            {"column w is generated"}},
        Mismatch{"CREATE TABLE t (id int PRIMARY KEY, v varchar(10), w text, x int NOT NULL)",
                 {"column x", "may not be NULL"}},
        Mismatch{"CREATE TABLE t (id int PRIMARY KEY, v varchar(10), w text, g int)",
                 {"column g is generated at the source and an ordinary one", "GENERATED ALWAYS"}},
        Mismatch{"CREATE VIEW t AS SELECT 1 AS id, ''::varchar(10) AS v, ''::text AS w",
                 {"table public.t", "does not exist"}},
        Mismatch{"SELECT 1", {"table public.t", "does not exist", "migrations"}}));

TEST(DataOnly, AComputedColumnThatTheTargetLacksIsNamed) {
  const Move move(
      "CREATE TABLE t (id int, g int GENERATED ALWAYS AS (id + 1) STORED); INSERT INTO t VALUES (1)",
      "CREATE TABLE t (id int)");
  const auto result = move.copy(kDataOnly);
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, HasSubstr("column g, which the source computes, is missing on the target"));
}

TEST(DataOnly, MoreAndReorderedColumnsAtTheTargetAreFine) {
  const Move move(
      "CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t SELECT i, 'v', i FROM "
      "generate_series(1, 500) i",
      "CREATE TABLE t (w int, extra text DEFAULT 'new', id int PRIMARY KEY, more int, v text)");
  EXPECT_TRUE(exits(move.copy(kDataOnly), 0));
  EXPECT_EQ(move.target.value(
                "SELECT md5(string_agg((id, v, w)::text, ',' ORDER BY id)) FROM t WHERE extra = 'new'"),
            move.source.value("SELECT md5(string_agg((id, v, w)::text, ',' ORDER BY id)) FROM t"));
}

TEST(DataOnly, EnumsWithOtherOidsAndCompositesArriveAsThemselves) {
  const auto* schema = R"(CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (m mood, n int);
    CREATE TABLE t (m mood, ms mood[], p pair, ps pair[], c regclass, d regtype))";
  const Move move(
      schema, (std::string("CREATE TYPE other AS ENUM ('x', 'y', 'z'); CREATE TABLE shift (a int);") + schema)
                  .c_str());
  move.source.exec(
      "INSERT INTO t VALUES ('ok', '{sad,ok,NULL}', '(sad,3)', ARRAY['(ok,1)'::pair], 't', 'mood')");
  EXPECT_TRUE(exits(move.copy(kDataOnly), 0));
  EXPECT_EQ(move.target.exec("SELECT * FROM t"), move.source.exec("SELECT * FROM t"));
}

}  // namespace
}  // namespace copy::test
