// What is copied: --include, --exclude, --where.

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSource = R"(
  CREATE SCHEMA app; CREATE SCHEMA audit; CREATE SCHEMA "My.Schema";
  CREATE TABLE app.users (id serial PRIMARY KEY, name text);
  CREATE TABLE app.orders (id serial PRIMARY KEY, "user" int REFERENCES app.users, total int);
  CREATE TABLE app.log_2023 (id int); CREATE TABLE app.log_2024 (id int);
  CREATE TABLE audit.entries (id serial PRIMARY KEY, "order" int REFERENCES app.orders);
  CREATE TABLE "My.Schema"."a.b" (id int);
  CREATE VIEW app.names AS SELECT name FROM app.users;
  CREATE VIEW audit.view AS SELECT count(*) FROM audit.entries;
  CREATE MATERIALIZED VIEW audit.sums AS SELECT sum(id) AS s FROM audit.entries;
  INSERT INTO app.users (name) SELECT 'u' || i FROM generate_series(1, 100) i;
  INSERT INTO app.orders ("user", total) SELECT 1 + i % 100, i FROM generate_series(1, 2000) i;
  INSERT INTO app.log_2023 VALUES (1); INSERT INTO app.log_2024 VALUES (2);
  INSERT INTO audit.entries ("order") SELECT i FROM generate_series(1, 2000) i;
  INSERT INTO "My.Schema"."a.b" VALUES (1);
  REFRESH MATERIALIZED VIEW audit.sums;
  SELECT lo_from_bytea(1, 'x'))";

/// "app.orders: 2000, …" of the tables that are there.
std::string tables(const support::TestDatabase& database) {
  std::string found;
  for (const auto& row :
       database.exec("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN "
                     "('pg_catalog', 'information_schema', 'cutover') ORDER BY 1"))
    found += (found.empty() ? "" : ", ") + *row[0] + ": " + database.value("SELECT count(*) FROM " + *row[0]);
  return found;
}

TEST(Exclude, ASchema) {
  const Move move(kSource);
  EXPECT_TRUE(exits(move.copy({"--exclude", "audit"}), 0));
  EXPECT_EQ(tables(move.target),
            "\"My.Schema\".\"a.b\": 1, app.log_2023: 1, app.log_2024: 1, app.orders: 2000, app.users: 100");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'audit'"), "0");
  EXPECT_EQ(move.target.value("SELECT nextval('app.users_id_seq')"), "101");
}

TEST(Exclude, TablesByPattern) {
  const Move move(kSource);
  EXPECT_TRUE(exits(move.copy({"--exclude", "app.log_*, \"My.Schema\".\"a.b\""}), 0));
  EXPECT_EQ(tables(move.target), "app.orders: 2000, app.users: 100, audit.entries: 2000");
}

TEST(Exclude, AForeignKeyToAnExcludedTableIsSkippedAndNamed) {
  const Move move(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); "
      "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1)");
  const auto result = move.copy({"--exclude", "public.a"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("b_a_fkey"), HasSubstr("refers to public.a, which is excluded")));
  EXPECT_EQ(tables(move.target), "public.b: 1");
}

TEST(Exclude, NothingIsSaidOfWhatIsNotMade) {
  const Move move(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int CONSTRAINT to_a "
      "REFERENCES a); "
      "COMMENT ON CONSTRAINT to_a ON b IS 'of b'; "
      "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false, slot_name = NONE); "
      "COMMENT ON SUBSCRIPTION s IS 'of s'");
  EXPECT_TRUE(exits(move.copy({"--exclude", "public.a"}), 0));
  EXPECT_EQ(tables(move.target), "public.b: 0");
  move.source.exec("DROP SUBSCRIPTION s");
}

TEST(Include, ASchemaAndATable) {
  const Move move(kSource);
  const auto result =
      move.copy({"--include", "app", "--include", "audit.entries", "--exclude", "app.log_2023"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(tables(move.target), "app.log_2024: 1, app.orders: 2000, app.users: 100, audit.entries: 2000");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_largeobject_metadata"), "0");
}

TEST(Include, SaysThatLargeObjectsAreLeftOutAndTakesThemByTheirName) {
  const Move move(kSource);
  const Arguments app{"--include", "app"};
  const auto said =
      AllOf(HasSubstr("large objects: 1 of them are not copied: they are not selected by --include"),
            HasSubstr("--include pg_catalog.pg_largeobject as well"));
  EXPECT_THAT(move.way.run("plan", app).output, said);
  const auto without = move.copy(app);
  EXPECT_TRUE(exits(without, 0));
  EXPECT_THAT(without.output, said);
  EXPECT_TRUE(exits(move.way.clean(), 0));
  move.target.exec("DROP SCHEMA app CASCADE");
  const Arguments both{"--include", "app,pg_catalog.pg_largeobject"};
  const auto with = move.copy(both);
  EXPECT_TRUE(exits(with, 0));
  EXPECT_THAT(with.output, Not(HasSubstr("large objects")));
  EXPECT_EQ(move.target.value("SELECT convert_from(lo_get(1), 'UTF8')"), "x");
  const Arguments verify{"--independent", "--include", both[1]};
  EXPECT_TRUE(exits(move.way.run("verify", verify), 0));
  move.target.exec("SELECT lo_unlink(1)");
  EXPECT_TRUE(exits(move.way.run("verify", verify), 1));
}

TEST(Exclude, LargeObjectsByTheirName) {
  const Move move(kSource);
  const auto result = move.copy({"--exclude", "pg_catalog.pg_largeobject"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, HasSubstr("large objects: left out by --exclude"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_largeobject_metadata"), "0");
}

TEST(Include, ViewsOfWhatIsLeftOutDoNotMakeTheRunFail) {
  const Move move(kSource);
  const auto result = move.copy({"--include", "app"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(tables(move.target), "app.log_2023: 1, app.log_2024: 1, app.orders: 2000, app.users: 100");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM app.names"), "100");
}

constexpr const char* kOwnedSequences = R"(
  CREATE TABLE kept (id serial PRIMARY KEY);
  CREATE TABLE serial_log (id serial PRIMARY KEY); CREATE TABLE identity_log (id int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE parted_log (id int GENERATED BY DEFAULT AS IDENTITY) PARTITION BY RANGE (id);
  CREATE TABLE numbers (id serial); CREATE TABLE user_of_numbers (id int DEFAULT nextval('numbers_id_seq'));
  CREATE SEQUENCE free_log;
  INSERT INTO kept SELECT FROM generate_series(1, 3); INSERT INTO serial_log SELECT FROM generate_series(1, 3);
  INSERT INTO identity_log SELECT FROM generate_series(1, 3); INSERT INTO numbers SELECT FROM generate_series(1, 3);
  SELECT nextval('free_log'))";

std::string sequences(const support::TestDatabase& database) {
  return database.value(
      "SELECT string_agg(sequencename || coalesce(' ' || last_value, ''), ', ' ORDER BY 1) "
      "FROM pg_sequences WHERE schemaname = 'public'");
}

// A table's own sequence has another name than the table, and neither comparison may look for it afterwards.
TEST(Exclude, ATablesOwnSequencesGoWithIt) {
  const Move move(kOwnedSequences);
  const Arguments arguments{"--exclude", "public.*_log", "--exclude", "public.numbers"};
  const auto copied = move.copy(arguments);
  EXPECT_TRUE(exits(copied, 0));
  // A value that another table takes is one the copy needs; nobody owns free_log, and it is no table.
  EXPECT_EQ(sequences(move.target), "free_log 1, kept_id_seq 3, numbers_id_seq 3");
  EXPECT_THAT(
      copied.output,
      AllOf(HasSubstr("sequence public.identity_log_id_seq"), HasSubstr("sequence public.parted_log_id_seq"),
            HasSubstr("sequence public.serial_log_id_seq"), HasSubstr("the table that owns it is left out"),
            Not(HasSubstr("sequence public.numbers_id_seq"))));
  for (const Arguments& more :
       {Arguments{}, arguments,
        Arguments{"--exclude", "public.*_log", "--exclude", "public.numbers", "--independent"}}) {
    const auto verdict = move.way.run("verify", more);
    EXPECT_TRUE(exits(verdict, 0));
  }
}

// A name in a text is no dependency: nothing but the text tells that the sequence is used.
TEST(Exclude, ASequenceThatIsUsedByNameIsNamed) {
  const Move move(R"(
    CREATE TABLE numbers (id serial, "Odd'Name" serial); CREATE TABLE others (id serial);
    CREATE TABLE by_text (id int DEFAULT nextval('numbers_id_seq'::text));
    CREATE TABLE by_whole_text (id int DEFAULT nextval('public."numbers_Odd''Name_seq"'::text));
    CREATE TABLE left_out (id int DEFAULT nextval('others_id_seq'::text));
    CREATE FUNCTION next_number() RETURNS bigint LANGUAGE plpgsql AS
      $$ BEGIN RETURN pg_catalog.nextval( 'public.numbers_id_seq'); END $$;
    CREATE FUNCTION another() RETURNS text LANGUAGE sql AS $$ SELECT 'others_id_seq'::text $$)");
  const auto result = move.copy({"--exclude", "public.numbers,public.others,public.left_out"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("but the default of public.by_text.id takes values of it by its name"),
                    HasSubstr("but the default of public.by_whole_text.id takes"),
                    HasSubstr("but the function public.next_number takes"),
                    HasSubstr("ALTER SEQUENCE \"public\".\"numbers_Odd'Name_seq\" OWNED BY NONE"),
                    Not(HasSubstr("left_out.id")), Not(HasSubstr("public.another"))));
}

// What a table takes its values of is compared with it, whoever owns it.
TEST(Include, ASequenceThatIsUsedIsComparedToo) {
  const Move move(kOwnedSequences);
  const Arguments arguments{"--include", "public.user_of_numbers"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_TRUE(exits(move.way.run("verify", arguments), 0));
  move.target.exec("SELECT setval('numbers_id_seq', 1)");
  auto independent = arguments;
  independent.emplace_back("--independent");
  for (const auto& how : {arguments, independent}) {
    const auto verdict = move.way.run("verify", how);
    EXPECT_TRUE(exits(verdict, 1));
    EXPECT_THAT(verdict.output, HasSubstr("numbers_id_seq"));
  }
}

// The migrations of another application did not make it, and nothing here needs it.
TEST(Include, ASequenceThatNobodyOwnsIsLeftOutWhereTheTargetHasItsSchema) {
  const Move move("CREATE TABLE kept (id int); CREATE SEQUENCE other_seq", "CREATE TABLE kept (id int)");
  const auto result = move.copy({"--schema", "none", "--include", "public.kept"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, HasSubstr("sequence public.other_seq"));
}

TEST(Include, ATableBringsItsOwnSequencesAndNoOthers) {
  const Move move(kOwnedSequences);
  const Arguments arguments{"--include", "public.kept"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_EQ(sequences(move.target), "free_log 1, kept_id_seq 3");
  EXPECT_TRUE(exits(move.way.run("verify", arguments), 0));
}

// The target has the sequences of what is left out: they are not the copy's, which says so.
TEST(Exclude, SequencesThatTheTargetHasOfItsOwnStay) {
  const auto* schema = "CREATE TABLE kept (id serial PRIMARY KEY); CREATE TABLE log (id serial)";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO kept VALUES (DEFAULT); INSERT INTO log VALUES (DEFAULT), (DEFAULT)");
  const Arguments arguments{"--schema", "none", "--exclude", "public.log"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_EQ(sequences(move.target), "kept_id_seq 1, log_id_seq");
  const auto verdict = move.way.run("verify");
  EXPECT_TRUE(exits(verdict, 0));
  EXPECT_THAT(verdict.output, HasSubstr("sequence public.log_id_seq: the copy was told to leave it out"));
}

TEST(Include, AnExcludedPartitionIsLeftOutOfItsTable) {
  const Move move(R"(
    CREATE TABLE p (id int) PARTITION BY RANGE (id);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    INSERT INTO p SELECT generate_series(0, 19))");
  EXPECT_TRUE(exits(move.copy({"--exclude", "public.p_2"}), 0));
  EXPECT_EQ(tables(move.target), "public.p: 10, public.p_1: 10");
}

constexpr const char* kParted = R"(
  CREATE SCHEMA parts;
  CREATE TABLE orders (id int, note text) PARTITION BY RANGE (id);
  CREATE TABLE parts.orders_low PARTITION OF orders FOR VALUES FROM (0) TO (10);
  CREATE TABLE parts.orders_high PARTITION OF orders FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
  CREATE TABLE parts.orders_10 PARTITION OF parts.orders_high FOR VALUES FROM (10) TO (20);
  CREATE TABLE parts.orders_20 PARTITION OF parts.orders_high FOR VALUES FROM (20) TO (30);
  CREATE INDEX ON orders (note);
  CREATE TABLE other (id int);
  INSERT INTO orders SELECT generate_series(0, 29); INSERT INTO other VALUES (1))";

TEST(Include, APartitionedTableBringsItsPartitions) {
  const Move move(kParted);
  const auto verify = [&](const Arguments& more) {
    Arguments all{"--include", "public.orders"};
    all.insert(all.end(), more.begin(), more.end());
    return move.way.run("verify", all);
  };
  const Arguments arguments{"--include", "public.orders"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_EQ(tables(move.target),
            "parts.orders_10: 10, parts.orders_20: 10, parts.orders_high: 20, parts.orders_low: 10, "
            "public.orders: 30");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'orders%'"), "5");
  for (const Arguments& more : {Arguments{}, Arguments{"--independent"}}) {
    move.target.exec("UPDATE orders SET note = NULL");
    EXPECT_TRUE(exits(verify(more), 0));
    move.target.exec("UPDATE orders SET note = 'other' WHERE id = 15; CREATE INDEX ON parts.orders_10 (id)");
    const auto differs = verify(more);
    EXPECT_TRUE(exits(differs, 1));
    EXPECT_THAT(differs.output,
                AllOf(HasSubstr("parts.orders_10"), HasSubstr("index parts.orders_10_id_idx")));
    move.target.exec("DROP INDEX parts.orders_10_id_idx");
  }
}

TEST(Include, OfAPartitionedTableAndWithoutOneOfItsPartitions) {
  const Move move(kParted);
  EXPECT_TRUE(exits(move.copy({"--include", "public.orders", "--exclude", "parts.orders_high"}), 0));
  EXPECT_EQ(tables(move.target), "parts.orders_low: 10, public.orders: 10");
}

TEST(Exclude, APartitionedTableGoesWithItsPartitions) {
  const Move move(kParted);
  EXPECT_TRUE(exits(move.copy({"--exclude", "public.orders"}), 0));
  EXPECT_EQ(tables(move.target), "public.other: 1");
}

TEST(Include, ASchemaWithTheNameOfAProvidersIsTheUsersWhenItIsNamed) {
  const Move move(
      // What no user's role owns counts as the provider's.
      "CREATE SCHEMA cron AUTHORIZATION pg_monitor; CREATE TABLE cron.runs AS SELECT 1 AS a; CREATE FUNCTION "
      "cron.f() RETURNS int "
      "LANGUAGE sql "
      "AS 'SELECT 1'; CREATE TABLE t AS SELECT 1 AS a");
  const auto without = move.copy();
  EXPECT_TRUE(exits(without, 0));
  EXPECT_EQ(tables(move.target), "public.t: 1");
  EXPECT_THAT(without.output, HasSubstr("not copied:\n  schema cron: it belongs to the provider"));
  EXPECT_THAT(move.way.run("plan").output, HasSubstr("schema cron: it belongs to the provider"));
  const Arguments both{"--include", "cron", "--include", "*", "--no-owners"};
  EXPECT_TRUE(exits(move.way.clean(), 0));
  move.target.exec("DROP TABLE t");
  EXPECT_TRUE(exits(move.copy(both), 0));
  EXPECT_EQ(tables(move.target), "cron.runs: 1, public.t: 1");
  EXPECT_EQ(move.target.value("SELECT cron.f()"), "1");
  const Arguments verify{"--include", "cron", "--include", "*", "--independent", "--no-owners"};
  EXPECT_TRUE(exits(move.way.run("verify", verify), 0));
  move.target.exec("DELETE FROM cron.runs; DROP FUNCTION cron.f()");
  const auto differs = move.way.run("verify", verify);
  EXPECT_TRUE(exits(differs, 1));
  EXPECT_THAT(differs.output, AllOf(HasSubstr("cron.runs"), HasSubstr("function cron.f()")));
}

TEST(Include, AResumedRunSaysTooWhatItLeavesOut) {
  const Move move(kSource);
  const Arguments arguments{"--exclude", "audit"};
  move.way.crash_at("ledger_commit.after", arguments);
  const auto resumed = move.copy(arguments);
  EXPECT_TRUE(exits(resumed, 0));
  EXPECT_THAT(resumed.output, HasSubstr("schema audit"));
  EXPECT_THAT(move.copy(arguments).output,
              AllOf(HasSubstr("nothing was done now"), HasSubstr("schema audit")));
}

TEST(Where, OnlyTheRowsThatSatisfyItAreCopiedAndProven) {
  const Move move(kSource);
  const auto result = move.copy({"--include", "app", "--exclude", "app.log*", "--split-size", "8kB",
                                 "--where", "app.orders=total <= 500 OR total = 1999"});
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT count(*) || ' ' || max(total) FROM app.orders"), "501 1999");
  EXPECT_EQ(move.way.report().at("rows"), 601);
  EXPECT_EQ(move.way.report().at("proven"), 2);
}

TEST(Where, RowsThatAreThereAlreadyAndOutsideOfItStay) {
  const auto* schema = "CREATE TABLE t (id int PRIMARY KEY, v text)";
  const Move move(schema, schema);
  move.source.exec("INSERT INTO t SELECT i, 'source' FROM generate_series(1, 100) i");
  move.target.exec("INSERT INTO t VALUES (1000, 'target')");
  const Arguments arguments{"--schema", "none", "--where", "public.t=id <= 50"};
  EXPECT_TRUE(exits(move.copy(arguments), 0));
  EXPECT_EQ(
      move.target.value(
          "SELECT string_agg(v || n, ' ' ORDER BY v) FROM (SELECT v, count(*) AS n FROM t GROUP BY v) x"),
      "source50 target1");
}

TEST(Where, OfATableThatIsNotThereIsRefused) {
  const Move move("CREATE TABLE t (id int)");
  const auto result = move.copy({"--where", "public.x=id > 1"});
  EXPECT_TRUE(exits(result, 2));
  EXPECT_THAT(result.error, HasSubstr("public.x"));
}

TEST(Where, ThatLeavesOutWhatOthersReferToIsNamedAsTheCause) {
  const Move move(
      "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2); "
      "CREATE TABLE c (p int CONSTRAINT fk REFERENCES p); INSERT INTO c VALUES (1), (2)");
  const auto result = move.copy({"--where", "public.p=id = 1"});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("fk"), HasSubstr("--where leaves out what these rows refer to")));
}

TEST(Where, ThatIsNotAConditionFailsThatTableAlone) {
  const Move move("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE u AS SELECT 1 AS a");
  const auto result = move.copy({"--where", "public.t=no_such_column > 1"});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("public.t"), HasSubstr("no_such_column")));
  EXPECT_EQ(tables(move.target), "public.t: 0, public.u: 1");
}

// Both tables' rows are on their way when one of them fails; the other one would wait for ever.
TEST(FailFast, StopsTheOtherTables) {
  const Move move(
      "CREATE TABLE bad (id int); INSERT INTO bad VALUES (1); CREATE TABLE good (id int); INSERT INTO good "
      "VALUES (1)",
      "CREATE TABLE bad (id int CHECK (id > 5)); CREATE TABLE good (id int)");
  support::Session of_bad(move.target.url());
  support::Session of_good(move.target.url());
  of_bad.exec("BEGIN; LOCK bad IN SHARE MODE");
  of_good.exec("BEGIN; LOCK good IN SHARE MODE");
  support::Process copy(support::cutover_program(),
                        move.way.arguments("copy", {"--schema", "none", "--fail-fast", "--jobs", "2"}));
  move.target.wait_until(
      "SELECT count(*) = 2 FROM pg_locks WHERE NOT granted AND relation IN ('bad'::regclass, "
      "'good'::regclass)");
  of_bad.exec("COMMIT");
  const auto result = copy.wait();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.error, HasSubstr("bad_id_check"));
  of_good.exec("COMMIT");
  EXPECT_EQ(tables(move.target), "public.bad: 0, public.good: 0");
}

TEST(FailFast, StopsAtTheFirstTableThatFails) {
  const Move move("CREATE TABLE t (id int); INSERT INTO t VALUES (1)",
                  "CREATE TABLE t (id int CHECK (id > 5))");
  const auto result = move.copy({"--fail-fast"});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.error, AllOf(HasSubstr("public.t"), HasSubstr("t_id_check")));
  // Nothing was done after it.
  EXPECT_EQ(move.target.value("SELECT count(*) FROM cutover.run WHERE finished_at IS NOT NULL"), "0");
}

}  // namespace
}  // namespace copy::test
