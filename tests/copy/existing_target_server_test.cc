// What is on the target already, what may be replaced, and what writes nothing.

#include <fmt/format.h>

#include "tests/copy/fixture.h"
#include "tests/copy/sample.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTwoTables =
    "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)";
constexpr const char* kSourceRows =
    "INSERT INTO a SELECT i, 'source' FROM generate_series(1, 100) i; INSERT INTO b SELECT i, 'source' FROM "
    "generate_series(1, 50) i";
constexpr const char* kTargetRows =
    "INSERT INTO a SELECT i, 'target' FROM generate_series(50, 150) i; INSERT INTO b VALUES (7, 'target')";

TEST(TargetWithRows, IsRefusedAndNothingIsChanged) {
  for (const Arguments& arguments :
       {Arguments{}, Arguments{"--schema", "none"}, Arguments{"--overwrite", "public.a"}}) {
    const Move move(kTwoTables, kTwoTables);
    move.source.exec(kSourceRows);
    move.target.exec(kTargetRows);
    const auto before = support::database_digest(move.target.url());
    const auto schema = support::schema_dump(move.target.url());
    const auto result = move.copy(arguments);
    EXPECT_TRUE(exits(result, 2));
    EXPECT_THAT(result.error, AllOf(HasSubstr("table public.b"), HasSubstr("--overwrite 'public.b'"),
                                    HasSubstr("nothing was changed")));
    EXPECT_EQ(support::database_digest(move.target.url()), before);
    EXPECT_EQ(support::schema_dump(move.target.url()), schema);
    EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
  }
}

// The look at the table shows nothing of them yet.
TEST(TargetWithRows, ThatAreCommittedWhileTheCopyWaitsAreKept) {
  const Move move("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", "CREATE TABLE t (id int)");
  support::Session other(move.target.url());
  other.exec("BEGIN; INSERT INTO t VALUES (7)");
  support::Process run(support::cutover_program(), move.way.arguments("copy", {}));
  move.target.wait_until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  other.exec("COMMIT");
  const auto result = run.wait();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("public.t: the table has rows"), HasSubstr("this run did not write them")));
  EXPECT_EQ(move.target.value("SELECT string_agg(id::text, ' ') FROM t"), "7");
}

TEST(TargetWithRows, LargeObjectsAreRefusedToo) {
  const Move move("SELECT lo_from_bytea(5, 'source')", "SELECT lo_from_bytea(6, 'target')");
  const auto before = support::database_digest(move.target.url());
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("large objects"));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

TEST(Overwrite, EmptiesTheNamedTables) {
  const Move move(kTwoTables, kTwoTables);
  move.source.exec(kSourceRows);
  move.target.exec(kTargetRows);
  move.target.exec("CREATE TABLE other AS SELECT 5 AS mine");
  EXPECT_TRUE(exits(move.copy({"--overwrite", "public.?", "--split-size", "8kB"}), 0));
  EXPECT_EQ(move.target.value("SELECT mine FROM other"), "5");
  move.target.exec("DROP TABLE other");
  move.expect_equal();
}

TEST(Overwrite, WithDataOnlyAndForeignKeys) {
  constexpr const char* kSchema = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p)";
  const Move move(kSchema, kSchema);
  move.source.exec("INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (2)");
  move.target.exec("INSERT INTO p VALUES (3); INSERT INTO c VALUES (3)");
  const Arguments arguments{"--schema", "none", "--overwrite", "public"};
  move.expect_equal_copy(arguments);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"),
            "1");
}

TEST(Overwrite, NeedsTheReferringTableToo) {
  constexpr const char* kSchema = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p)";
  const Move move("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2)", kSchema);
  move.target.exec("INSERT INTO p VALUES (3); INSERT INTO c VALUES (3)");
  const auto before = support::database_digest(move.target.url());
  const auto result = move.copy({"--schema", "none", "--overwrite", "public.p"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

TEST(Overwrite, WithARowFilterDeletesOnlyTheFiltersRows) {
  const Move move(kTwoTables, kTwoTables);
  move.source.exec(kSourceRows);
  move.target.exec(kTargetRows);
  EXPECT_TRUE(exits(move.copy({"--schema", "none", "--include", "public.a", "--overwrite", "public.a",
                               "--where", "public.a=id <= 100"}),
                    0));
  EXPECT_EQ(
      move.target.value(
          "SELECT string_agg(v || n, ' ' ORDER BY v) FROM (SELECT v, count(*) AS n FROM a GROUP BY v) x"),
      "source100 target50");
}

TEST(Overwrite, WithARowFilterThatAForeignKeyWouldCarryOnIsRefused) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p ON DELETE "
      "CASCADE)";
  const Move move("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1)", schema);
  move.target.exec("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)");
  const auto before = support::database_digest(move.target.url());
  const auto result =
      move.copy({"--schema", "none", "--overwrite", "public.p", "--where", "public.p=id < 5"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("rows of public.c too, by its foreign key fk"),
                                  HasSubstr("nothing was changed")));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

/// The shop's schema without its rows; its foreign keys and its trigger act on what comes.
void make_empty_shop(const support::TestDatabase& database) {
  const std::string shop = kShop;
  database.exec(shop.substr(0, shop.find("INSERT INTO")));
  database.exec(
      "CREATE TRIGGER mark BEFORE INSERT OR UPDATE ON shop.purchase FOR EACH ROW EXECUTE FUNCTION "
      "shop.mark();"
      "COMMENT ON CONSTRAINT line_purchase_fkey ON shop.line IS 'mine'");
}

TEST(ExistingSchema, ThatIsEmptyAndTheSameIsFilled) {
  const Move move(kShop);
  move.source.exec("COMMENT ON CONSTRAINT line_purchase_fkey ON shop.line IS 'mine'");
  make_empty_shop(move.target);
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  move.expect_equal_schema();
  EXPECT_EQ(move.target.value("SELECT count(*) FROM cutover.quieted"), "0");
}

TEST(ExistingSchema, KeepsForeignKeysOfItsOwn) {
  const Move move("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)",
                  "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p ON "
                  "DELETE CASCADE); CREATE TABLE other (p int REFERENCES p)");
  move.source.exec("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)");
  EXPECT_TRUE(exits(move.copy({"--jobs", "2"}), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"),
            "2");
  move.target.exec("DELETE FROM p");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM c"), "0");
}

TEST(ExistingSchema, AForeignKeyThatTheRowsViolateComesBackOnceTheyAreRepaired) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)";
  const Move move(schema, schema);
  move.source.exec("SET session_replication_role = replica; INSERT INTO c VALUES (7)");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, HasSubstr("1 rows refer to keys that public.p does not have: (p) = (7)"));
  move.source.exec("INSERT INTO p VALUES (7)");
  move.expect_equal_copy();
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "t");
}

// Binary COPY takes a timestamp for a timestamptz, and the digests of what was stored would be equal.
TEST(ExistingSchema, ATableOfAnotherShapeIsRefused) {
  const Move move(
      "CREATE TABLE t (at timestamptz, j json, g int GENERATED ALWAYS AS (1) STORED); CREATE TABLE u (id "
      "int); "
      "INSERT INTO t VALUES (now(), '{}')",
      "CREATE TABLE t (at timestamp, j text, g int)");
  const auto schema = support::schema_dump(move.target.url());
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(
      result.error,
      AllOf(HasSubstr("column at is timestamp with time zone at the source and timestamp without time zone"),
            HasSubstr("column j is json at the source and text"),
            HasSubstr("column g is generated at the source"), Not(HasSubstr("table public.u"))));
  EXPECT_EQ(support::schema_dump(move.target.url()), schema);
  move.target.exec("DROP TABLE t");
  move.expect_equal_copy();
}

TEST(ExistingSchema, CleaningAnUnfinishedRunLeavesItAsItWas) {
  const Move move(kShop);
  make_empty_shop(move.target);
  const auto before = support::schema_dump(move.target.url());
  move.way.crash_at("chunk_copy.before");
  EXPECT_NE(support::schema_dump(move.target.url()), before);
  EXPECT_TRUE(exits(move.way.clean(), 0));
  EXPECT_EQ(support::schema_dump(move.target.url()), before);
}

TEST(ExistingSchema, AForeignKeyThatAnotherRunHasPutAsideIsMissed) {
  const Move move("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1)",
                  "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)");
  const Arguments arguments{"--include", "public.p"};
  move.way.crash_at("chunk_copy.before", arguments);
  const auto result = Copy(move.source.url(), move.target.url()).copy(arguments);
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("has these put aside: foreign key fk of public.c"));
  EXPECT_TRUE(exits(move.copy(arguments), 0));
}

TEST(ExistingSchema, ATriggerThatWasDroppedMeanwhileNeedNotComeBack) {
  const Move move("CREATE TABLE t (id int); INSERT INTO t VALUES (1)",
                  "CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "RETURN NEW; END $$; CREATE TRIGGER mine BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION "
                  "f()");
  move.way.crash_at("chunk_copy.before");
  move.target.exec("DROP TRIGGER mine ON t");
  EXPECT_TRUE(exits(move.way.clean(), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover'"), "0");
}

// -------------------------------------------------------------------------------------------------- restart

TEST(Restart, AsksAndWithoutATerminalChangesNothing) {
  const Move move(kTwoTables);
  move.source.exec(kSourceRows);
  move.expect_equal_copy();
  move.source.exec("DELETE FROM a");
  const auto before = support::database_digest(move.target.url());
  const auto result = move.copy({"--restart"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr("Start over"), HasSubstr("--yes")));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

TEST(Restart, AfterAFinishedRunEndsEqual) {
  const Move move(kShop);
  move.expect_equal_copy();
  move.source.exec(R"(
    DELETE FROM shop.line WHERE purchase % 2 = 0;
    ALTER TABLE shop.customer ADD COLUMN more text DEFAULT 'new';
    CREATE TABLE shop.added AS SELECT 1 AS a;
    ALTER TYPE shop.state ADD VALUE 'lost';
    REFRESH MATERIALIZED VIEW shop.best;
    SELECT lo_from_bytea(77, 'new'))");
  move.expect_equal_copy({"--restart", "--yes"});
  move.expect_equal_schema();
}

TEST(Restart, BringsWhatChangedInSchemaPublicToo) {
  const Move move(R"(
    CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN small AS int CHECK (VALUE < 10);
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE t (m mood, s small);
    CREATE VIEW v AS SELECT f();
    CREATE SEQUENCE seq;
    INSERT INTO t VALUES ('ok', 1))");
  move.expect_equal_copy();
  move.source.exec(R"(
    ALTER TYPE mood ADD VALUE 'sad';
    CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';
    ALTER DOMAIN small DROP CONSTRAINT small_check)");
  move.source.exec("INSERT INTO t VALUES ('sad', 100)");
  move.expect_equal_copy({"--restart", "--yes"});
  move.expect_equal_schema();
}

TEST(Restart, OfDataOnlyRemovesOnlyItsOwnRows) {
  constexpr const char* kSchema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p); CREATE TABLE other (a int)";
  const Move move(kSchema, kSchema);
  move.source.exec("INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (2)");
  const Arguments arguments{"--schema", "none", "--exclude", "public.other"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  move.target.exec("INSERT INTO other VALUES (5)");
  move.source.exec("INSERT INTO p VALUES (3); INSERT INTO c VALUES (3); INSERT INTO other VALUES (5)");
  auto again = arguments;
  again.insert(again.end(), {"--restart", "--yes"});
  move.expect_equal_copy(again);
}

// Whatever isolation the database is set to: the look comes after the wait.
TEST(Restart, OfDataOnlyLeavesRowsThatAreCommittedWhileItWaits) {
  constexpr const char* kSchema = "CREATE TABLE t (id int)";
  const Move move(kSchema, kSchema);
  move.source.exec("INSERT INTO t VALUES (1)");
  EXPECT_TRUE(exits(move.copy({"--schema", "none"}), 0));
  move.target.exec(fmt::format("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'",
                               move.target.name()));
  support::Session other(move.target.url());
  other.exec("BEGIN; INSERT INTO t VALUES (7)");
  support::Process run(support::cutover_program(),
                       move.way.arguments("copy", {"--schema", "none", "--restart", "--yes"}));
  move.target.wait_until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
  other.exec("COMMIT");
  const auto result = run.wait();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("has rows on the target that this run did not write"));
  EXPECT_EQ(move.target.value("SELECT string_agg(id::text, ' ') FROM t"), "7");
}

TEST(Restart, OfDataOnlyWhereATableOfTheTargetsOwnRefersToTheRows) {
  const auto* schema =
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p)";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO p VALUES (1), (2)");
  const Arguments arguments{"--schema", "none", "--include", "public.p"};
  auto again = arguments;
  again.insert(again.end(), {"--restart", "--yes"});
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_TRUE(exits(move.copy(again), 0));
  move.expect_equal();
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "t");
  // Its rows would lose what they refer to.
  move.target.exec("INSERT INTO c VALUES (2)");
  const auto before = support::database_digest(move.target.url());
  const auto result = move.copy(again);
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.error, AllOf(HasSubstr("foreign key fk of public.c"), HasSubstr("nothing was changed")));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

TEST(Restart, OfDataOnlyWithARowFilterLeavesTheOtherRows) {
  const Move move(kTwoTables, kTwoTables);
  move.source.exec(kSourceRows);
  const Arguments arguments{"--schema", "none", "--include", "public.a", "--where", "public.a=id <= 40"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  move.target.exec("INSERT INTO a VALUES (1000, 'mine')");
  auto again = arguments;
  again.insert(again.end(), {"--restart", "--yes", "--overwrite", "public.a"});
  EXPECT_TRUE(exits(move.copy(again), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM a WHERE v = 'mine'"), "1");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM a"), "41");
}

TEST(Restart, OfDataOnlyLeavesRowsThatOthersHaveInsertedOrChangedSince) {
  const Move move(kTwoTables, kTwoTables);
  move.source.exec(kSourceRows);
  const Arguments arguments{"--schema", "none"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  move.target.exec("INSERT INTO a VALUES (1000, 'mine'); UPDATE b SET v = 'mine' WHERE id = 7");
  auto again = arguments;
  again.insert(again.end(), {"--restart", "--yes"});
  const auto result = move.copy(again);
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("has rows on the target that this run did not write"));
  EXPECT_EQ(move.target.value("SELECT string_agg(id || v, ' ' ORDER BY id) FROM (SELECT * FROM a UNION ALL "
                              "SELECT * FROM b) x"),
            "7mine 1000mine");
}

TEST(TargetWithRows, ThatARowFilterHoldsForAreRefused) {
  const Move move(kTwoTables, kTwoTables);
  move.source.exec(kSourceRows);
  move.target.exec("INSERT INTO a VALUES (30, 'target'), (1000, 'target')");
  const Arguments arguments{"--schema", "none", "--include", "public.a", "--where", "public.a=id <= 40"};
  const auto result = move.copy(arguments);
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("table public.a"));
  move.target.exec("DELETE FROM a WHERE id = 30");
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM a"), "41");
}

TEST(Restart, LeavesWhatWasOnTheTargetBeforeTheFirstRun) {
  const Move move(
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('ok'); CREATE TABLE app.t AS SELECT 1 AS a; CREATE "
      "TABLE app.u AS SELECT 1 AS a; "
      "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('ok'); CREATE TABLE app.mine AS SELECT "
      "'ok'::app.mood AS m; CREATE TABLE app.t (a int)");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.source.exec("INSERT INTO app.t VALUES (2); INSERT INTO app.u VALUES (2)");
  EXPECT_TRUE(exits(move.copy({"--restart", "--yes"}), 0));
  EXPECT_EQ(move.target.value("SELECT m FROM app.mine"), "ok");
  move.target.exec("DROP TABLE app.mine");
  move.expect_equal();
}

// -------------------------------------------------------------------------------------------- another job

TEST(AnotherSelection, IsRefusedByAFinishedRunAndByOneThatIsNot) {
  const Move move("CREATE SCHEMA x; CREATE TABLE x.a (id int); CREATE TABLE b (id int)");
  const Arguments one{"--include", "x.*"};
  for (const bool finished : {false, true}) {
    if (finished) {
      EXPECT_TRUE(exits(move.copy(one), 0));
    } else {
      move.way.crash_at("chunk_copy.before", one);
    }
    for (const Arguments& other :
         {Arguments{}, Arguments{"--include", "x.*", "--no-owners"}, Arguments{"--include", "public.b"}}) {
      const auto result = move.copy(other);
      EXPECT_TRUE(exits(result, 2));
      EXPECT_THAT(result.error, AllOf(HasSubstr("a run of another selection"), HasSubstr("--restart")));
    }
  }
  EXPECT_TRUE(exits(move.copy(one), 0));
}

// -------------------------------------------------------------------------------------------------- clean

// It may hold the password of a user mapping.
TEST(RunDirectory, HoldsTheSchemaForItsOwnerOnly) {
  const Move move("CREATE TABLE a (id int)");
  EXPECT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(std::filesystem::status(move.way.run_dir() / "schema.dump").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Clean, LeavesFilesThatAreNotTheRuns) {
  const Move move("CREATE TABLE a (id int)");
  EXPECT_TRUE(exits(move.copy(), 0));
  spill(move.way.run_dir() / "notes.txt", "mine");
  EXPECT_TRUE(exits(move.way.clean(), 0));
  EXPECT_EQ(slurp(move.way.run_dir() / "notes.txt"), "mine");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(move.way.run_dir()), {}), 1);
  std::filesystem::remove(move.way.run_dir() / "notes.txt");
  EXPECT_TRUE(exits(move.way.clean(), 0));
  EXPECT_FALSE(std::filesystem::exists(move.way.run_dir()));
}

TEST(Clean, OfSeveralDatabasesNeedsTheirNames) {
  const Move move("CREATE TABLE a (id int)");
  const auto databases = fmt::format("{}={}", move.source.name(), move.target.name());
  EXPECT_TRUE(exits(move.copy({"--databases", databases}), 0));
  const auto result = move.way.clean();
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, AllOf(HasSubstr(move.source.name()), HasSubstr("--databases")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM cutover.run"), "1");
  EXPECT_TRUE(std::filesystem::exists(move.way.run_dir() / move.source.name() / "plan.json.zst"));
}

TEST(Restart, LeavesADirectoryThatIsNoArchiveYet) {
  const Move move("CREATE TABLE a (id int)");
  EXPECT_TRUE(exits(move.copy(), 0));
  const auto directory = move.way.path("backup");
  std::filesystem::create_directories(directory / "data");
  spill(directory / "data" / "precious.zst", "mine");
  EXPECT_TRUE(exits(move.copy({"--restart", "--yes", "--archive", directory}), 0));
  EXPECT_TRUE(exits(move.copy({"--restart", "--yes", "--archive", directory}), 0));
  EXPECT_EQ(slurp(directory / "data" / "precious.zst"), "mine");
}

// ----------------------------------------------------------------------------------------- plan and dry run

TEST(Plan, WritesNothingOnEitherSideNorOnDisk) {
  const Move move(kShop);
  const auto source_before = move.source.value("SELECT txid_snapshot_xmax(txid_current_snapshot())");
  const auto target_before = move.target.value("SELECT txid_snapshot_xmax(txid_current_snapshot())");
  for (const char* command : {"plan", "copy"}) {
    const Arguments more = std::string(command) == "copy" ? Arguments{"--dry-run"} : Arguments{};
    const auto result = move.way.run(command, more);
    EXPECT_TRUE(exits(result, 0));
    EXPECT_THAT(result.output, HasSubstr("shop.line"));
  }
  EXPECT_EQ(move.source.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"), source_before);
  EXPECT_EQ(move.target.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"), target_before);
  EXPECT_FALSE(std::filesystem::exists(move.way.run_dir()));
}

TEST(Plan, SaysWhatStandsInTheWay) {
  const Move move("CREATE TABLE a (id int)", "CREATE TABLE a (id int); INSERT INTO a VALUES (1)");
  const auto result = move.way.run("plan");
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.output, AllOf(HasSubstr("public.a"), HasSubstr("--overwrite")));
}

// ------------------------------------------------------------------------------------------------ databases

TEST(Databases, OneAfterTheOtherAndOneThatFailsDoesNotStopTheNext) {
  const support::TestDatabase first(source_server()), second(source_server()), third(source_server());
  const support::TestDatabase to_first(target_server()), to_second(target_server()),
      to_third(target_server());
  for (const auto* database : {&first, &second, &third}) database->exec("CREATE TABLE t (name text)");
  for (const auto* database : {&first, &second, &third})
    database->exec("INSERT INTO t VALUES (current_database())");
  to_second.exec("CREATE TABLE t (name text); INSERT INTO t VALUES ('mine')");
  const Copy way(source_server().url("postgres"), target_server().url("postgres"));
  const auto list = fmt::format("{}={},{}={},{}={}", first.name(), to_first.name(), second.name(),
                                to_second.name(), third.name(), to_third.name());
  const auto result = way.copy({"--databases", list});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(differences(to_first, first), ::testing::IsEmpty());
  EXPECT_THAT(differences(to_third, third), ::testing::IsEmpty());
  EXPECT_EQ(to_second.value("SELECT name FROM t"), "mine");
  to_second.exec("TRUNCATE t");
  EXPECT_TRUE(exits(way.copy({"--databases", list}), 0));
  EXPECT_THAT(differences(to_second, second), ::testing::IsEmpty());
}

}  // namespace
}  // namespace copy::test
