// Objects where copies go wrong: odd names, odd keys, odd tables, sequences, large objects, settings.

#include <fmt/format.h>

#include "tests/copy/fixture.h"
#include "tests/support/build.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(OddNames, QuotesNewlinesSpacesUpperCaseAndOtherAlphabets) {
  const Move move(R"SQL(
    CREATE SCHEMA "Ünïcode ""schema"" . dots";
    SET search_path = "Ünïcode ""schema"" . dots";
    CREATE TABLE "two
lines" ("Kéy" int PRIMARY KEY, "a ""quoted"" column" text, "back\slash" text, "select" int, "日本" text UNIQUE);
    INSERT INTO "two
lines" SELECT i, 'v' || i, E'\\', i, 'x' || i FROM generate_series(1, 2000) i;
    CREATE TABLE "$cutover$'); DROP TABLE x; --" (id serial PRIMARY KEY, "line
break" int REFERENCES "two
lines" ("Kéy"));
    INSERT INTO "$cutover$'); DROP TABLE x; --" ("line
break") SELECT i FROM generate_series(1, 100) i;
    CREATE INDEX "An Index
with a line" ON "two
lines" ("back\slash");
    CREATE SEQUENCE "Seq ""1""
" START 5;
    CREATE MATERIALIZED VIEW "Mat
view" AS SELECT count(*) FROM "two
lines";
    COMMENT ON TABLE "two
lines" IS E'It''s
two -- lines;')SQL");
  move.expect_equal_copy(kTinyChunks);
  move.expect_equal_schema();
}

TEST(OddTables, WithoutColumnsWithoutRowsWithoutStoredColumns) {
  const Move move(R"(
    CREATE TABLE no_columns ();
    CREATE TABLE no_rows (id int PRIMARY KEY, v text);
    CREATE TABLE no_columns_no_rows ();
    CREATE TABLE only_generated (g int GENERATED ALWAYS AS (7) STORED, h text GENERATED ALWAYS AS ('é') STORED);
    CREATE TABLE with_generated (g int GENERATED ALWAYS AS (n + 1) STORED PRIMARY KEY, n int, d text);
    CREATE TABLE always (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
    CREATE TABLE was_dropped (a int, b text, c int);
    INSERT INTO no_columns SELECT FROM generate_series(1, 5000);
    INSERT INTO only_generated SELECT FROM generate_series(1, 5000);
    INSERT INTO with_generated (n, d) SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i;
    INSERT INTO always (v) SELECT 'v' FROM generate_series(1, 3000);
    INSERT INTO always (id, v) OVERRIDING SYSTEM VALUE VALUES (-9223372036854775808, 'least');
    INSERT INTO was_dropped SELECT i, 'b', i FROM generate_series(1, 1000) i;
    ALTER TABLE was_dropped DROP COLUMN b, ADD COLUMN e int DEFAULT 5)");
  move.expect_equal_copy(kTinyChunks);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM no_columns"), "5000");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM only_generated"), "5000");
  move.expect_equal_schema();
}

TEST(OddTables, TheSameWithTheSchemaThereAlready) {
  constexpr const char* kSchema = R"(
    CREATE TABLE no_columns ();
    CREATE TABLE only_generated (g int GENERATED ALWAYS AS (7) STORED);
    CREATE TABLE always (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text))";
  const Move move(kSchema, kSchema);
  move.source.exec(R"(
    INSERT INTO no_columns SELECT FROM generate_series(1, 5000);
    INSERT INTO only_generated SELECT FROM generate_series(1, 5000);
    INSERT INTO always (v) SELECT 'v' FROM generate_series(1, 3000))");
  auto arguments = kTinyChunks;
  arguments.insert(arguments.end(), {"--schema", "none"});
  move.expect_equal_copy(arguments);
}

TEST(OddKeys, NegativeAndExtremeIntegers) {
  const Move move(R"(
    CREATE TABLE big (id bigint PRIMARY KEY, v text);
    CREATE TABLE small (id smallint PRIMARY KEY);
    INSERT INTO big SELECT i - 3000, repeat('x', 50) FROM generate_series(1, 6000) i;
    INSERT INTO big VALUES (-9223372036854775808, 'least'), (9223372036854775807, 'most');
    INSERT INTO small SELECT i FROM generate_series(-32768, 32767, 3) i)");
  move.expect_equal_copy(kTinyChunks);
  EXPECT_GT(move.way.report().at("chunks"), 40);
}

TEST(OddRows, HolesInATableAndLongRows) {
  // Deleted rows leave blocks that are empty, or hold a few rows; long ones live beside the table.
  const Move move(R"(
    CREATE TABLE holes (id int PRIMARY KEY, v text);
    INSERT INTO holes SELECT i, repeat('x', 200) FROM generate_series(1, 5000) i;
    DELETE FROM holes WHERE id % 97 > 0 AND id < 4900;
    UPDATE holes SET v = 'moved' WHERE id % 2 = 0;
    CREATE TABLE long (id int, v bytea);
    ALTER TABLE long ALTER v SET STORAGE EXTERNAL;
    INSERT INTO long SELECT i, decode(repeat(md5(i::text), 20000), 'hex') FROM generate_series(1, 6) i)");
  move.expect_equal_copy(kTinyChunks);
}

TEST(OddRows, ALongOneTakesItsOwnSizeInMemoryAndLittleMore) {
  constexpr uint64_t kSize = 100'000'000;
  constexpr uint64_t kBeside = 32 << 20;
  const Move move(
      fmt::format("CREATE TABLE long (v text); ALTER TABLE long ALTER v SET STORAGE EXTERNAL; "
                  "INSERT INTO long SELECT repeat(md5('x'), {})",
                  kSize / 32));
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT length(v) || md5(v) FROM long"),
            move.source.value("SELECT length(v) || md5(v) FROM long"));
  EXPECT_GE(result.peak_memory, kSize) << "what is measured is something else";
  if (!support::sanitized()) {
    EXPECT_LE(result.peak_memory, kSize + kBeside);
  }
}

TEST(Partitions, ByHashOnAnEnumAreEqualAtTheRoot) {
  const Move move(R"(
    CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'black', 'white', 'pink');
    CREATE TABLE things (c colour NOT NULL, id int, v text, PRIMARY KEY (c, id)) PARTITION BY HASH (c);
    CREATE TABLE things_0 PARTITION OF things FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE things_1 PARTITION OF things FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE things_2 (v text, id int NOT NULL, c colour NOT NULL);
    ALTER TABLE things ATTACH PARTITION things_2 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    INSERT INTO things SELECT (enum_range(NULL::colour))[1 + i % 6], i, repeat('v', 50) FROM generate_series(1, 6000) i)",
                  // Types made before the copy's shift the oids that the hash is made of.
                  "CREATE TYPE a AS ENUM ('1'); CREATE TYPE b AS ENUM ('1', '2', '3')");
  EXPECT_TRUE(exits(move.copy(kTinyChunks), 0));
  auto expected = support::database_digest(move.source.url());
  EXPECT_THAT(differences(support::database_digest(move.target.url()), expected), ::testing::IsEmpty());
  EXPECT_EQ(move.target.value("SELECT count(*) FROM things"), "6000");
}

constexpr const char* kByHashOnAnEnum = R"(
  CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'black');
  CREATE TABLE things (c colour, id int) PARTITION BY HASH (c);
  CREATE TABLE things_0 PARTITION OF things FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE things_1 PARTITION OF things FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO things SELECT (enum_range(NULL::colour))[1 + i % 4], i FROM generate_series(1, 400) i)";

TEST(Partitions, ByHashOnAnEnumTakeOneRowFilterForAll) {
  const Move move(kByHashOnAnEnum);
  for (const std::string other : {"", "public.things_1=id <= 100"}) {
    Arguments filters{"--where", "public.things_0=id <= 200"};
    if (!other.empty()) filters.insert(filters.end(), {"--where", other});
    const auto refused = move.copy(filters);
    EXPECT_TRUE(exits(refused, 2));
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("table public.things: its partitions have different row filters"),
                      HasSubstr("public.things_0: id <= 200"), HasSubstr("public.things_1: "),
                      HasSubstr("the same --where")));
    EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_class WHERE relname = 'things'"), "0");
  }
  EXPECT_TRUE(
      exits(move.copy({"--where", "public.things_0=id <= 200", "--where", "public.things_1=id <= 200"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM things WHERE id <= 200"), "200");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM things"), "200");
}

TEST(Partitions, OfManyLevelsWithADefault) {
  const Move move(R"(
    CREATE TABLE logs (at date NOT NULL, kind text NOT NULL, n int) PARTITION BY RANGE (at);
    CREATE TABLE logs_2023 PARTITION OF logs FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    CREATE TABLE logs_2024 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
    CREATE TABLE logs_2024_a PARTITION OF logs_2024 FOR VALUES IN ('a');
    CREATE TABLE logs_2024_rest PARTITION OF logs_2024 DEFAULT;
    CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
    CREATE INDEX ON logs (n);
    INSERT INTO logs SELECT '2022-06-01'::date + i, chr(97 + i % 3), i FROM generate_series(1, 2000) i)");
  move.expect_equal_copy(kTinyChunks);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM ONLY logs_2024_a"),
            move.source.value("SELECT count(*) FROM ONLY logs_2024_a"));
  move.expect_equal_schema();
}

TEST(Inheritance, ParentAndChildRowsAreNotDoubled) {
  const Move move(R"(
    CREATE TABLE animal (id int PRIMARY KEY, name text);
    CREATE TABLE dog (barks bool) INHERITS (animal);
    CREATE TABLE puppy (months int) INHERITS (dog);
    INSERT INTO animal SELECT i, 'animal' FROM generate_series(1, 1000) i;
    INSERT INTO dog SELECT i, 'dog', true FROM generate_series(500, 1500) i;
    INSERT INTO puppy SELECT i, 'puppy', false, 3 FROM generate_series(1, 10) i)");
  move.expect_equal_copy(kTinyChunks);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM animal"), "2011");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM ONLY animal"), "1000");
}

TEST(Unlogged, RowsAndPersistenceAreCopied) {
  const Move move(
      "CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 3000)");
  move.expect_equal_copy(kTinyChunks);
  EXPECT_EQ(move.target.value("SELECT relpersistence FROM pg_class WHERE relname = 'u'"), "u");
}

TEST(Sequences, HaveTheirValuesWhateverTheyAre) {
  const Move move(R"(
    CREATE SEQUENCE untouched START 42;
    CREATE SEQUENCE used; SELECT nextval('used');
    CREATE SEQUENCE reset; SELECT setval('reset', 17, false);
    CREATE SEQUENCE descending INCREMENT -3 MINVALUE -1000 MAXVALUE -1 START -1;
    SELECT nextval('descending'), nextval('descending');
    CREATE SEQUENCE least MINVALUE -9223372036854775808 START -9223372036854775808; SELECT nextval('least');
    CREATE SEQUENCE most; SELECT setval('most', 9223372036854775807);
    CREATE SEQUENCE small AS smallint CYCLE; SELECT setval('small', 32767);
    CREATE SEQUENCE cached CACHE 100; SELECT nextval('cached');
    CREATE TABLE owned (id serial, j int GENERATED ALWAYS AS IDENTITY (START 1000)); INSERT INTO owned DEFAULT VALUES)");
  move.expect_equal_copy();
  EXPECT_EQ(move.target.value("SELECT nextval('reset')"), "17");
  EXPECT_EQ(move.target.value("SELECT nextval('descending')"), "-7");
  EXPECT_EQ(move.target.value("SELECT nextval('untouched')"), "42");
}

TEST(MaterializedViews, OnViewsAndFunctionsInAnyOrder) {
  const Move move(R"(
    CREATE TABLE base AS SELECT i FROM generate_series(1, 100) i;
    CREATE MATERIALIZED VIEW z_first AS SELECT sum(i) AS s FROM base;
    CREATE VIEW between_them AS SELECT s + 1 AS s FROM z_first;
    CREATE MATERIALIZED VIEW m_second AS SELECT s * 2 AS s FROM between_them;
    CREATE FUNCTION through() RETURNS numeric LANGUAGE plpgsql STABLE AS
      $$ BEGIN RETURN (SELECT max(s) FROM public.m_second); END $$;
    CREATE MATERIALIZED VIEW a_third AS SELECT public.through() AS s;
    CREATE UNIQUE INDEX ON a_third (s);
    CREATE MATERIALIZED VIEW never AS SELECT 1 / 0 AS n WITH NO DATA)");
  move.expect_equal_copy();
  EXPECT_EQ(move.target.value("SELECT s FROM a_third"), "10102");
}

// As long as nobody may write them, every job waits with a chunk of its own.
TEST(LargeObjects, AreLoadedInParallel) {
  const Move move(
      "SELECT lo_from_bytea(2000 + i, decode(repeat(md5(i::text), 1000), 'hex')) FROM generate_series(1, 30) "
      "i");
  support::Session other(move.target.url());
  other.exec("BEGIN; LOCK pg_largeobject IN SHARE MODE");
  support::Process copy(support::cutover_program(),
                        move.way.arguments("copy", {"--split-size", "64kB", "--jobs", "3"}));
  move.target.wait_until(
      "SELECT count(*) = 3 FROM pg_locks WHERE NOT granted AND relation = 'pg_largeobject'::regclass");
  other.exec("COMMIT");
  EXPECT_TRUE(exits(copy.wait(), 0));
  move.expect_equal();
}

TEST(LargeObjects, InManyChunksEmptyWithHolesWithOwnersGrantsAndComments) {
  const support::TestRole at_source(source_server(), "NOLOGIN");
  target_server().exec("postgres", fmt::format("CREATE ROLE {} NOLOGIN", at_source.name()));
  {
    const Move move(fmt::format(R"(
      SELECT lo_from_bytea(2000 + i, decode(repeat(md5(i::text), 1000), 'hex')) FROM generate_series(1, 30) i;
      SELECT lo_create(1000);
      SELECT lo_create(4294967295);
      SELECT lo_create(3000); SELECT lo_put(3000, 1000000, 'after a hole'); SELECT lo_put(3000, 5, 'x');
      SELECT lo_from_bytea(3001, decode(repeat('00', 262144), 'hex'));
      SELECT lo_from_bytea(3002, decode(repeat('01', 262145), 'hex'));
      ALTER LARGE OBJECT 2001 OWNER TO {0};
      GRANT SELECT ON LARGE OBJECT 2002 TO {0} WITH GRANT OPTION;
      GRANT UPDATE ON LARGE OBJECT 2002 TO PUBLIC;
      COMMENT ON LARGE OBJECT 1000 IS 'it''s empty')",
                                at_source.name()));
    move.expect_equal_copy({"--split-size", "64kB", "--jobs", "4"});
    const auto properties =
        "SELECT string_agg(format('%s %s %s %s', oid, lomowner::regrole, (SELECT array_agg(x::text ORDER BY "
        "x::text) FROM unnest(lomacl) x), obj_description(oid, 'pg_largeobject')), "
        "E'\\n' ORDER BY oid) FROM pg_largeobject_metadata";
    EXPECT_EQ(move.target.value(properties), move.source.value(properties));
    EXPECT_GT(move.way.report().at("chunks"), 5);
  }
  target_server().exec("postgres", "DROP ROLE " + at_source.name());
}

TEST(DatabaseSettings, AndTheDatabasesCommentAreCopied) {
  const Move move;
  move.source.exec(fmt::format(R"(
    ALTER DATABASE {0} SET search_path TO app, "Öther Schema", public;
    ALTER DATABASE {0} SET work_mem = '7MB';
    ALTER DATABASE {0} SET "my.own" TO 'it''s, a \ value';
    ALTER DATABASE {0} SET timezone TO 'Europe/Paris';
    ALTER ROLE postgres IN DATABASE {0} SET statement_timeout TO '7min';
    COMMENT ON DATABASE {0} IS 'the ''old'' one')",
                               move.source.name()));
  move.expect_equal_copy();
  const auto settings =
      "SELECT string_agg(setrole::text || (SELECT array_agg(x ORDER BY x) FROM unnest(setconfig) x)::text, "
      "';' ORDER BY setrole) || "
      "(SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()) "
      "FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = "
      "current_database())";
  EXPECT_EQ(move.target.value(settings), move.source.value(settings));
}

TEST(DatabaseAccess, IsNotCopiedButReportedWithTheStatements) {
  const support::TestRole role(source_server(), "NOLOGIN");
  const auto name = support::sql_identifier(role.name());
  const Move move("CREATE TABLE t (id int)");
  const auto quiet = move.way.run("plan");
  EXPECT_TRUE(exits(quiet, 0));
  EXPECT_THAT(quiet.output, ::testing::Not(HasSubstr("who may use it as a whole")));
  move.source.exec(fmt::format(
      "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1} WITH GRANT OPTION; "
      "ALTER DATABASE {0} CONNECTION LIMIT 7",
      move.source.name(), name));
  const auto mapped = fmt::format("{}=postgres", role.name());
  const auto result = move.copy({"--role-map", mapped});
  EXPECT_TRUE(exits(result, 0));
  for (const std::string statement :
       {"REVOKE CONNECT ON DATABASE \"{}\" FROM PUBLIC", "REVOKE TEMPORARY ON DATABASE \"{}\" FROM PUBLIC",
        "GRANT CONNECT ON DATABASE \"{}\" TO \"postgres\" WITH GRANT OPTION",
        "ALTER DATABASE \"{}\" CONNECTION LIMIT 7"})
    EXPECT_THAT(result.output, HasSubstr(fmt::format(fmt::runtime(statement), move.source.name())));
}

// "system_user" is reserved since version 16.
// The target's owner has put a stop to new functions. Everything else is made, and what is not is named.
TEST(Dependencies, OfWhatTheTargetRefusesAreSkippedAndNamed) {
  const Move move(
      "CREATE TABLE t AS SELECT 1 AS a; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'; "
      "CREATE VIEW v AS SELECT f(a) FROM t; CREATE VIEW w AS SELECT * FROM v; CREATE VIEW plain AS SELECT a "
      "FROM t",
      "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not wanted here'; "
      "END $$; CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE FUNCTION') EXECUTE "
      "FUNCTION refuse()");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("function public.f(integer): not wanted here"),
                    HasSubstr("view public.v: skipped, because function public.f(integer) could not be made"),
                    HasSubstr("view public.w: skipped, because view public.v could not be made"),
                    Not(HasSubstr("view public.plain"))));
  EXPECT_EQ(move.target.value("SELECT a FROM plain"), "1");
  move.expect_equal();
  // And when it can be made, the same command makes it.
  move.target.exec("DROP EVENT TRIGGER refuse");
  EXPECT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(move.target.value("SELECT f FROM w"), "2");
}

TEST(OddNames, WordsThatOnlyTheNewerServerReserves) {
  const Move move(R"(
    CREATE TABLE "system_user" ("system_user" int PRIMARY KEY CHECK ("system_user" > 0), v text);
    CREATE INDEX ON "system_user" (("system_user" + 1));
    CREATE TABLE r (id int, "system_user" int, PRIMARY KEY (id, "system_user"),
                    FOREIGN KEY ("system_user") REFERENCES "system_user") PARTITION BY RANGE ("system_user");
    CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (0) TO (10);
    CREATE VIEW s AS SELECT "system_user"."system_user" FROM "system_user";
    INSERT INTO "system_user" VALUES (1, 'a');
    INSERT INTO r VALUES (5, 1))",
                  "", 15, 18);
  move.expect_equal_copy();
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"),
            move.source.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"));
}

// With one worker the larger table is read first, when no index of the other exists yet.
TEST(IndexNamesAsValues, OfOtherTablesWaitForThoseIndexes) {
  const Move move(R"(
    CREATE TABLE other (id int PRIMARY KEY);
    INSERT INTO other VALUES (1);
    CREATE TABLE naming (id int PRIMARY KEY, relation regclass, note text);
    INSERT INTO naming SELECT i, 'other', repeat('x', 100) FROM generate_series(1, 5000) i;
    INSERT INTO naming VALUES (0, 'other_pkey', NULL))");
  move.expect_equal_copy({"--jobs", "1"});
}

TEST(IndexNamesAsValues, OfTheirOwnTableAreAnErrorThatNamesIt) {
  const Move move(R"(
    CREATE TABLE naming (id int PRIMARY KEY, relation regclass);
    INSERT INTO naming VALUES (0, 'naming_pkey'))");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, ::testing::AllOf(HasSubstr("public.naming: "), HasSubstr("naming_pkey")));
}

}  // namespace
}  // namespace copy::test
