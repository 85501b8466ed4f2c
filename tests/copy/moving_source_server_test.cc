// The source changes while it is copied, and servers whose settings differ.
//
// A run is held still where the test wants it by a lock on the target: ACCESS EXCLUSIVE on a table that is
// there already stops it while it looks at the target, with the snapshot taken and the source's tables not
// locked yet; SHARE lets it look, and stops the COPY.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kTables =
    "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)";
constexpr const char* kManyRows =
    "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 1000) i; INSERT INTO u VALUES (1), (2)";

class MovingSource : public ::testing::Test {
 protected:
  MovingSource() { move.source.exec(kManyRows); }

  support::ProcessResult copy_while(const std::string& lock_mode, const std::function<void()>& meanwhile) {
    return copy_while(move, lock_mode, meanwhile);
  }
  static support::ProcessResult copy_while(const Move& move, const std::string& lock_mode,
                                           const std::function<void()>& meanwhile,
                                           const Arguments& more = {"--schema", "none"}) {
    support::Session holder(move.target.url());
    holder.exec(fmt::format("BEGIN; LOCK TABLE t IN {} MODE", lock_mode));
    support::Process run(support::cutover_program(), move.way.arguments("copy", more));
    move.target.wait_until(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)");
    meanwhile();
    holder.exec("COMMIT");
    return run.wait();
  }
  Move move{kTables, kTables};
};

TEST_F(MovingSource, RowsThatComeAndGoMeanwhileAreNotSeen) {
  const auto before = support::database_digest(move.source.url());
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] {
    move.source.exec(
        "DELETE FROM t WHERE id < 500; UPDATE t SET v = 'new'; INSERT INTO u SELECT generate_series(10, "
        "2000)");
  });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
}

TEST_F(MovingSource, LargeObjectsThatComeMeanwhileAreNotSeen) {
  move.source.exec("SELECT lo_from_bytea(5, 'there'); COMMENT ON LARGE OBJECT 5 IS 'kept'");
  const auto before = support::database_digest(move.source.url());
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] {
    move.source.exec(
        "SELECT lo_from_bytea(6, 'later'); COMMENT ON LARGE OBJECT 6 IS 'later'; GRANT SELECT ON LARGE "
        "OBJECT 6 "
        "TO PUBLIC");
  });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
  EXPECT_EQ(move.target.value("SELECT obj_description(5, 'pg_largeobject')"), "kept");
}

// Its content is of the snapshot; who owned it, nobody can say any more.
TEST_F(MovingSource, ALargeObjectThatGoesMeanwhileIsToldOf) {
  move.source.exec("SELECT lo_from_bytea(5, 'goes'), lo_from_bytea(6, 'stays')");
  const auto before = support::database_digest(move.source.url());
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("SELECT lo_unlink(5)"); });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(support::database_digest(move.target.url()), before);
  EXPECT_THAT(result.output, HasSubstr("large objects: 1 were deleted at the source while the copy ran"));
}

TEST_F(MovingSource, ADroppedTableIsNamedAndTheOthersAreCopied) {
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("DROP TABLE t"); });
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("public.t"), HasSubstr("dropped or renamed"), HasSubstr("--restart")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM u"), "2");
}

// Between the snapshot and pg_dump, which finds it in the snapshot and cannot lock it. Later: see
// RewriteMore.
TEST_F(MovingSource, ATableDroppedBeforePgDumpReadsItEndsTheRunBeforeAnythingIsDone) {
  const auto before = support::schema_dump(move.target.url());
  const auto result = copy_while(move, "ACCESS EXCLUSIVE", [&] { move.source.exec("DROP TABLE t"); }, {});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.error, AllOf(HasSubstr("pg_dump failed"), HasSubstr("public.t"),
                                  HasSubstr("hint: its message names the object")));
  EXPECT_EQ(support::schema_dump(move.target.url()), before);
  EXPECT_EQ(move.target.value("SELECT count(*) FROM u"), "0");
  // The same command again copies what there is now.
  EXPECT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM u"), "2");
}

TEST_F(MovingSource, AColumnThatBecameAnotherBeforePgDumpReadItFailsItsTable) {
  const auto result = copy_while(
      move, "ACCESS EXCLUSIVE",
      [&] { move.source.exec("ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v text DEFAULT 'x'"); },
      {});
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("public.t"), HasSubstr("its columns were changed")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(move.target.value("SELECT count(*) FROM u"), "2");
}

TEST_F(MovingSource, ADroppedSequenceIsNamedAndTheOthersAreSet) {
  for (const auto* database : {&move.source, &move.target})
    database->exec("CREATE SEQUENCE gone; CREATE SEQUENCE kept");
  move.source.exec("SELECT setval('kept', 42)");
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("DROP SEQUENCE gone"); });
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("sequence public.gone"), HasSubstr("was dropped at the source")));
  EXPECT_EQ(move.target.value("SELECT last_value FROM kept"), "42");
}

TEST_F(MovingSource, ATruncatedTableFailsAndIsCopiedByTheNextRun) {
  const auto result = copy_while("ACCESS EXCLUSIVE",
                                 [&] { move.source.exec("TRUNCATE t; INSERT INTO t VALUES (7, 'after')"); });
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("public.t"), HasSubstr("truncated or rewritten")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "0");
  move.expect_equal_copy({"--schema", "none"});
}

TEST_F(MovingSource, ARewrittenTableFailsToo) {
  const auto result =
      copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("ALTER TABLE t ALTER id TYPE bigint"); });
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, HasSubstr("truncated or rewritten"));
  // And it is another table now.
  const auto again = move.copy({"--schema", "none"});
  EXPECT_TRUE(exits(again, 2));
  EXPECT_THAT(again.error, AllOf(HasSubstr("public.t"), HasSubstr("--restart")));
}

TEST_F(MovingSource, ADroppedColumnFailsItsTable) {
  const auto result =
      copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("ALTER TABLE t DROP COLUMN v"); });
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("public.t"), HasSubstr("v")));
}

// The table's oid, name and file stay; COPY would read the new column under the old one's name.
TEST_F(MovingSource, AColumnThatBecameAnotherFailsItsTable) {
  for (const auto* change : {"ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v text",
                             "ALTER TABLE t RENAME v TO old; ALTER TABLE t ADD COLUMN v text DEFAULT 'x'"}) {
    const Move other(kTables, kTables);
    other.source.exec(kManyRows);
    const auto result = copy_while(other, "ACCESS EXCLUSIVE", [&] { other.source.exec(change); });
    EXPECT_TRUE(exits(result, 3)) << change;
    EXPECT_THAT(result.output, AllOf(HasSubstr("public.t"), HasSubstr("its columns were changed")));
    EXPECT_EQ(other.target.value("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(other.target.value("SELECT count(*) FROM u"), "2");
  }
}

TEST_F(MovingSource, ColumnsOfAnyKindAreRecognized) {
  move.source.exec(
      "CREATE DOMAIN d AS int; CREATE DOMAIN dd AS d; CREATE TYPE c AS (a int); CREATE TYPE e AS ENUM ('x'); "
      "CREATE TABLE k (gone int, \"it's \"\"it\"\"\" int, f dd, g c, h e, i dd[], j int GENERATED ALWAYS AS "
      "(1) STORED, x varchar(5)); ALTER TABLE k DROP COLUMN gone; CREATE TABLE none (); "
      "INSERT INTO k VALUES (1, 2, ROW(3), 'x', '{4}', DEFAULT, 'five'); INSERT INTO none DEFAULT VALUES");
  move.target.exec("DROP TABLE t, u");
  move.expect_equal_copy();
}

TEST_F(MovingSource, AnAddedColumnDoesNotMatter) {
  const auto result =
      copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("ALTER TABLE t ADD COLUMN w int DEFAULT 5"); });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1000");
}

TEST_F(MovingSource, IsLockedAgainstRewritesWhileRowsAreRead) {
  const auto result = copy_while("SHARE", [&] {
    for (const auto* statement : {"TRUNCATE t", "DROP TABLE u", "ALTER TABLE t DROP COLUMN v"})
      EXPECT_ANY_THROW(move.source.exec(fmt::format("SET lock_timeout = '20ms'; {}", statement)))
          << statement;
    move.source.exec("INSERT INTO t VALUES (5000, 'later')");
  });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1000");
  move.source.exec("SET lock_timeout = '20ms'; DROP TABLE u");
}

TEST_F(MovingSource, SequencesAreReadAtTheEnd) {
  move.source.exec("CREATE SEQUENCE s");
  move.target.exec("CREATE SEQUENCE s");
  const auto result = copy_while("ACCESS EXCLUSIVE", [&] { move.source.exec("SELECT setval('s', 500)"); });
  EXPECT_TRUE(exits(result, 0));
  EXPECT_EQ(move.target.value("SELECT nextval('s')"), "501");
}

TEST(Settings, ThatDifferMakeNoDifference) {
  const Move move(R"(
    CREATE FUNCTION slow(i int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN true; END $$;
    CREATE TABLE slow (i int CHECK (slow(i)));
    CREATE TABLE t (a timestamptz, b interval, c date, d bytea, e double precision, f xml, g text[], h money, i time, j timestamptz[], k json, l real);
    INSERT INTO t SELECT '2024-03-31 01:30+00'::timestamptz + i * interval '1 hour', interval '1 year -2 mons 3 days' * i, '2024-01-02'::date + i,
      decode(md5(i::text), 'hex'), 1 / (i + 0.1::float8), '<a>é</a>', ARRAY['NULL', NULL, E'\\', i::text], i, '12:00'::time + i * interval '1 second',
      ARRAY['1900-01-01 00:00:01+00'::timestamptz], '{"a": "é"}', 1 / (i + 0.1::real) FROM generate_series(0, 500) i;
    CREATE TABLE p (at timestamptz) PARTITION BY RANGE (at);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2024-07-01 00:00+00');
    INSERT INTO p VALUES ('2024-01-01 00:00+00'), ('2024-06-30 23:59:59+00');
    CREATE INDEX ON t (a) WHERE a > '2024-04-01 00:00+00';
    SELECT slow(1); INSERT INTO slow VALUES (1))");
  const auto set = [](const support::TestDatabase& database, std::initializer_list<const char*> settings) {
    for (const auto* setting : settings)
      database.exec(fmt::format("ALTER DATABASE {} SET {}", database.name(), setting));
  };
  set(move.source,
      {"timezone = 'America/St_Johns'", "datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'",
       "bytea_output = 'escape'", "extra_float_digits = -5", "xmlbinary = 'hex'", "search_path = 'nowhere'",
       "default_transaction_isolation = 'serializable'"});
  set(move.target,
      {"timezone = 'Asia/Kathmandu'", "datestyle = 'German, DMY'", "intervalstyle = 'iso_8601'",
       "bytea_output = 'hex'", "extra_float_digits = 3", "statement_timeout = '500ms'",
       "lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '100ms'", "client_encoding = 'LATIN1'",
       "check_function_bodies = on", "default_transaction_read_only = on"});
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  // By the text format too.
  const Move text(
      "CREATE TABLE t (m text[], a timestamptz, b interval, d bytea, e double precision, x regclass); "
      "INSERT INTO t SELECT ARRAY['a', NULL], '2024-03-31 01:30+00', '-1 day 02:03', '\\x00ff41', 1 / "
      "3.0::float8, 'pg_class' FROM generate_series(1, 10)");
  set(text.source, {"timezone = 'America/St_Johns'", "datestyle = 'SQL, DMY'",
                    "intervalstyle = 'sql_standard'", "bytea_output = 'escape'", "extra_float_digits = -5"});
  set(text.target,
      {"timezone = 'Asia/Kathmandu'", "datestyle = 'German, DMY'", "standard_conforming_strings = off"});
  EXPECT_TRUE(exits(text.copy(), 0));
  text.expect_equal();
}

TEST(Encodings, NamesOfADatabaseInLatin1AreConverted) {
  const support::TestDatabase source(source_server(), "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
  const support::TestDatabase target(target_server());
  support::Session session(source.url());
  session.exec("SET client_encoding = 'UTF8'");
  session.exec(
      "CREATE TABLE \"Prénom\" (id int PRIMARY KEY, \"é\" text, x text[]); COMMENT ON TABLE \"Prénom\" IS "
      "'été'; "
      "INSERT INTO \"Prénom\" SELECT i, 'naïve ' || i || ' ÿ', ARRAY['ü'] FROM generate_series(1, 500) i");
  const Copy way(source.url(), target.url());
  EXPECT_TRUE(exits(way.copy({"--split-size", "8kB"}), 0));
  const auto* rows =
      "SELECT id, \"é\", x, obj_description('\"Prénom\"'::regclass) FROM \"Prénom\" ORDER BY id";
  EXPECT_EQ(target.exec(rows), session.exec(rows));
}

TEST(Encodings, RowsOfADatabaseInLatin1AreConverted) {
  const support::TestDatabase source(source_server(), "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
  const support::TestDatabase target(target_server());
  support::Session session(source.url());
  session.exec("SET client_encoding = 'UTF8'");
  session.exec(
      "CREATE TABLE t (id int PRIMARY KEY, v text, x text[]); CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE "
      "u (m mood[], v text);"
      "INSERT INTO t SELECT i, 'naïve ' || i || ' ÿ', ARRAY['ü'] FROM generate_series(1, 500) i; INSERT INTO "
      "u VALUES ('{ok}', 'été')");
  const Copy way(source.url(), target.url());
  EXPECT_TRUE(exits(way.copy({"--split-size", "8kB"}), 0));
  for (const auto* rows : {"SELECT * FROM t ORDER BY id", "SELECT * FROM u"})
    EXPECT_EQ(target.exec(rows), session.exec(rows));
}

// SQL_ASCII knows no characters: what is in it is taken over as it is, and so is what goes into it.
TEST(Encodings, BytesOfSqlAsciiStayTheSame) {
  constexpr const char* kAscii = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'";
  constexpr const char* kBytes = "SELECT encode(v::bytea, 'hex') FROM t";
  const support::TestDatabase ascii(source_server(), kAscii);
  ascii.exec("CREATE TABLE t (v text); INSERT INTO t VALUES ('naïve')");
  const support::TestDatabase utf8(target_server());
  EXPECT_TRUE(exits(Copy(ascii.url(), utf8.url()).copy(), 0));
  EXPECT_EQ(utf8.value("SELECT v FROM t"), "naïve");

  const support::TestDatabase latin1(source_server(), "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
  latin1.exec("CREATE TABLE t (v text); INSERT INTO t VALUES (chr(233))");
  const support::TestDatabase into(target_server(), kAscii);
  EXPECT_TRUE(exits(Copy(latin1.url(), into.url()).copy(), 0));
  EXPECT_EQ(into.value(kBytes), "e9");
}

}  // namespace
}  // namespace copy::test
