// Single-value faults that a comparison gets wrong easily, each on one side only: all must be found, with the
// table, the key and the column; and what is only written differently must not be.

#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pg/quote.h"
#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Fault {
  const char* table;
  const char* type;
  const char* source;  // SQL expressions for the value
  const char* target;
};

constexpr Fault kFaults[] = {
    {"negative_zero", "float8", "'0'", "'-0'"},
    {"negative_zero_4", "float4", "'0'", "'-0'"},
    {"numeric_scale", "numeric", "1.1", "1.10"},
    {"numeric_nan", "numeric", "'NaN'", "0"},
    {"tiny_float", "float8", "1e-12", "2e-12"},
    {"last_digit", "float8", "0.1", "0.1::float8 + 1.4e-17"},
    {"month", "interval", "'1 mon'", "'30 days'"},
    {"day", "interval", "'1 day'", "'24 hours'"},
    {"jsonb_scale", "jsonb", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"},
    {"json_order", "json", "'{\"a\": 1, \"b\": 2}'", "'{\"b\": 2, \"a\": 1}'"},
    {"json_space", "json", "'{\"a\":1}'", "'{\"a\": 1}'"},
    {"null_or_empty", "text", "NULL", "''"},
    {"null_word", "text", "NULL", "'\\N'"},
    {"bpchar_padding", "bpchar", "'a'", "'a  '"},
    {"citext_case", "citext", "'Word'", "'word'"},
    {"array_bounds", "int[]", "'{1,2}'", "'[0:1]={1,2}'"},
    {"array_null", "text[]", "ARRAY[NULL]::text[]", "ARRAY['NULL']"},
    {"array_empty", "text[]", "'{}'", "NULL"},
    {"one_bit", "bytea", "'\\x00ff00'", "'\\x00ff01'"},
    {"infinity", "timestamptz", "'infinity'", "'-infinity'"},
    {"before_christ", "date", "'0044-03-15 BC'", "'0044-03-15'"},
    {"microsecond", "timestamp", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'"},
    {"time_zone", "timetz", "'12:00+02'", "'10:00+00'"},
    {"composed", "text", "U&'\\00e9'", "U&'e\\0301'"},
    {"trailing_space", "text", "'a'", "'a '"},
    {"line_end", "text", "E'a\\nb'", "E'a\\r\\nb'"},
    {"range_bound", "numrange", "'[1,2]'", "'[1,2)'"},
    {"boolean", "bool", "true", "false"},
    {"bits", "varbit", "B'1'", "B'10'"},
    {"inet_mask", "inet", "'10.0.0.1/8'", "'10.0.0.1/32'"},
    {"enum_value", "mood", "'sad'", "'ok'"},
    {"composite", "pair", "ROW(1, NULL)::pair", "ROW(1, '')::pair"},
    {"float_array", "float8[]", "'{0}'", "'{-0}'"},
    {"xml_space", "xml", "'<a/>'", "'<a />'"},
    {"search_vector", "tsvector", "'a:1A'", "'a:1B'"},
};

/// Five rows each, all of the source's value.
std::string fault_tables() {
  std::string sql =
      "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);";
  for (const auto& fault : kFaults)
    sql += fmt::format(
        "CREATE TABLE {0} (id int PRIMARY KEY, other text DEFAULT 'same', v {1});"
        "INSERT INTO {0} (id, v) SELECT i, {2} FROM generate_series(1, 5) i;",
        fault.table, fault.type, fault.source);
  return sql;
}

/// The third row of each gets the target's.
std::string fault_updates() {
  std::string sql;
  for (const auto& fault : kFaults)
    sql += fmt::format("UPDATE {} SET v = {} WHERE id = 3;", fault.table, fault.target);
  return sql;
}

void expect_every_fault(const Verdict& verdict) {
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  for (const auto& fault : kFaults) {
    const auto name = std::string("public.") + fault.table;
    EXPECT_EQ(verdict.state(name), "different") << name;
    EXPECT_THAT(verdict.rows(name), ElementsAre(R"(changed {"id":"3"} v)")) << name;
  }
}

/// By the target's major version.
class ValueFaults : public ::testing::TestWithParam<int> {};

TEST_P(ValueFaults, AreFoundInTheirTableRowAndColumnInEveryMode) {
  const copy::test::Move move(fault_tables(), {}, 15, GetParam());
  ASSERT_TRUE(exits(move.copy(), 0));
  const Arguments after_copy{"--run-dir", move.way.run_dir()};
  const std::vector<Arguments> modes{{}, after_copy, {"--server-side"}, {"--strong"}};
  const auto in_mode = [&](const Arguments& mode) {
    return compare(move.source.url(), move.target.url(), mode);
  };
  for (const auto& mode : modes) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    const auto equal = in_mode(mode);
    EXPECT_EQ(equal.code(), 0) << equal.text();
  }
  move.target.exec(fault_updates());
  for (const auto& mode : modes) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    expect_every_fault(in_mode(mode));
  }
  // The target alone tells which tables.
  EXPECT_EQ(compare("", move.target.url(), after_copy).in_state("different").size(), std::size(kFaults));
  // And with the target as the source, so that no side is favoured.
  expect_every_fault(compare(move.target.url(), move.source.url()));
}

INSTANTIATE_TEST_SUITE_P(Targets, ValueFaults, ::testing::Values(15, 17, 18),
                         [](const auto& test) { return fmt::format("On{}", test.param); });

// ------------------------------------------------------------------------------------------ faults of many
// rows

// A few differences in a large table are named without reading it again, whatever its key.
TEST(Faults, FewAmongManyAreNamedFromTheSketch) {
  const char* sql = R"(
    CREATE TABLE by_int (id bigint PRIMARY KEY, v text);
    CREATE TABLE by_uuid (id uuid PRIMARY KEY, v text);
    CREATE TABLE by_two (name text, n smallint, v text, PRIMARY KEY (n, name));
    CREATE TABLE by_long (name text PRIMARY KEY);
    INSERT INTO by_int SELECT i - 5, repeat('x', 400) FROM generate_series(1, 45000) i;
    INSERT INTO by_uuid SELECT md5(i::text)::uuid, repeat('x', 400) FROM generate_series(1, 45000) i;
    INSERT INTO by_two SELECT 'it''s \' || i, i % 100, repeat('x', 400) FROM generate_series(1, 45000) i;
    INSERT INTO by_long SELECT repeat('x', 400) || i FROM generate_series(1, 45000) i;)";
  const Pair pair(sql, sql);
  pair.target.exec(R"(
    UPDATE by_int SET v = 'other' WHERE id IN (-4, 30000); DELETE FROM by_int WHERE id = 17;
    INSERT INTO by_uuid VALUES ('00000000-0000-4000-8000-00000000000f', '');
    UPDATE by_two SET v = 'other' WHERE name LIKE '%\\4711'; DELETE FROM by_long WHERE name LIKE '%x815')");
  const auto verdict = pair.compare({"--split-size", "5MB"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(
      verdict.rows("public.by_int"),
      ElementsAre(R"(changed {"id":"-4"} v)", R"(changed {"id":"30000"} v)", R"(missing {"id":"17"})"));
  EXPECT_THAT(verdict.rows("public.by_uuid"),
              ElementsAre(R"(extra {"id":"00000000-0000-4000-8000-00000000000f"})"));
  EXPECT_THAT(verdict.rows("public.by_two"), ElementsAre(R"(changed {"n":"11","name":"it's \\4711"} v)"));
  for (const auto* table : {"public.by_int", "public.by_uuid", "public.by_two"})
    EXPECT_EQ(verdict.table(table).at("rows").at("passes"), 0) << table;
  // A key that is too long for the sketch costs a pass.
  EXPECT_EQ(verdict.table("public.by_long").at("rows").at("passes"), 1);
  EXPECT_EQ(verdict.table("public.by_long").at("rows").at("missing"), 1);
}

// No server is asked to sort, and none for what lies between two keys: the target may sort as it likes.
TEST(Faults, TextKeysAreNamedOnATargetThatSortsOtherwise) {
  const support::TestDatabase source(source_server());
  const support::TestDatabase target(target_server(),
                                     "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
  const auto* order = "SELECT string_agg(v, ' ' ORDER BY v) FROM (VALUES ('b'), ('A'), ('a'), ('-B')) t (v)";
  ASSERT_NE(source.value(order), target.value(order));
  for (const auto* database : {&source, &target})
    database->exec(R"(
      CREATE TABLE few (name text PRIMARY KEY, v text);
      INSERT INTO few SELECT (ARRAY['key ', 'Key ', '-KEY ', U&'k\00e9y '])[1 + i % 4] || i, repeat('x', 400)
        FROM generate_series(1, 45000) i;
      CREATE TABLE many (n int, name text PRIMARY KEY, v text);
      INSERT INTO many SELECT i, name, v FROM (SELECT row_number() OVER () AS i, * FROM few) t)");
  target.exec(R"(
    UPDATE few SET v = 'other' WHERE name IN ('key 4000', 'Key 4001', U&'k\00e9y 4003');
    DELETE FROM few WHERE name = '-KEY 4002'; INSERT INTO few VALUES ('KEY 4000', '');
    UPDATE many SET v = 'other' WHERE n % 15 = 0)");
  const support::TempDir directory;
  const auto verdict = compare(source.url(), target.url(), {"--differences", directory / "rows"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.definitions(), IsEmpty());
  EXPECT_THAT(verdict.rows("public.few"),
              ElementsAre(R"(changed {"name":"Key 4001"} v)", R"(changed {"name":"key 4000"} v)",
                          "changed {\"name\":\"k\u00e9y 4003\"} v", R"(extra {"name":"KEY 4000"})",
                          R"(missing {"name":"-KEY 4002"})"));
  EXPECT_EQ(verdict.table("public.few").at("rows").at("passes"), 0);
  // More than a sketch holds: the table is read again, by key.
  const auto rows = verdict.table("public.many").at("rows");
  EXPECT_EQ(rows.at("passes"), 1);
  EXPECT_EQ(rows.at("changed"), 3000);
  EXPECT_EQ(rows.at("missing").get<int>() + rows.at("extra").get<int>(), 0);
  const auto file = copy::test::slurp(directory / "rows");
  EXPECT_EQ(std::ranges::count(file, '\n'), 3005);
}

TEST(Faults, ManyDifferencesAreAllInTheFile) {
  const char* sql =
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20000) "
      "i";
  const Pair pair(sql, sql);
  pair.target.exec("UPDATE t SET v = -v WHERE id % 2 = 0");
  const support::TempDir directory;
  const auto verdict = pair.compare({"--max-rows", "3", "--differences", directory / "rows"});
  EXPECT_EQ(verdict.rows("public.t").size(), 3U);
  EXPECT_EQ(verdict.table("public.t").at("rows").at("changed"), 10000);
  const auto file = copy::test::slurp(directory / "rows");
  EXPECT_EQ(std::ranges::count(file, '\n'), 10000);
  EXPECT_EQ(json::parse(file.substr(0, file.find('\n'))).at("columns"), json{"v"});
  EXPECT_THAT(verdict.process.output, HasSubstr("and 9,997 more"));
}

TEST(Faults, ValuesAreShownOnlyWhenAsked) {
  const char* sql = "CREATE TABLE t (id int PRIMARY KEY, secret text, n numeric)";
  const Pair pair(sql, sql);
  pair.source.exec("INSERT INTO t VALUES (1, 'kept-to-itself', 1.5)");
  pair.target.exec("INSERT INTO t VALUES (1, NULL, 1.5)");
  const auto plain = pair.compare();
  EXPECT_THAT(plain.text(), Not(HasSubstr("kept-to-itself")));
  EXPECT_THAT(plain.rows("public.t"), ElementsAre(R"(changed {"id":"1"} secret)"));
  const auto shown = pair.compare({"--show-values"});
  EXPECT_THAT(shown.process.output, HasSubstr(R"(secret "kept-to-itself" -> NULL)"));
  const auto row = shown.table("public.t").at("rows").at("first").at(0);
  EXPECT_EQ(row.at("source_values"), (json{{"secret", "kept-to-itself"}}));
}

TEST(Faults, OfLongValuesTheBeginningIsShown) {
  const char* sql = "CREATE TABLE t (id int PRIMARY KEY, v text)";
  const Pair pair(sql, sql);
  pair.source.exec("INSERT INTO t SELECT i, repeat('é', 20000000) || i FROM generate_series(1, 3) i");
  pair.target.exec("INSERT INTO t SELECT i, 'short' FROM generate_series(1, 3) i");
  const auto verdict = pair.compare({"--show-values", "--row-memory", "16MB"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  const auto rows = verdict.table("public.t").at("rows");
  EXPECT_EQ(rows.at("complete"), true);
  EXPECT_EQ(rows.at("changed"), 3);
  const auto value = rows.at("first").at(0).at("source_values").at("v").get<std::string>();
  EXPECT_THAT(value, EndsWith("é… (40000001 bytes)"));
  EXPECT_LE(value.size(), 5000U);
}

// A step that somebody accepts says nothing of where the sequence stands.
TEST(Faults, ASequenceOfAnotherStepIsComparedAllTheSame) {
  const Pair pair(
      "CREATE SEQUENCE behind INCREMENT 5; CREATE SEQUENCE ahead INCREMENT 5; CREATE SEQUENCE turned;"
      "SELECT setval('behind', 100), setval('ahead', 100), setval('turned', 7)",
      "CREATE SEQUENCE behind INCREMENT 10; CREATE SEQUENCE ahead INCREMENT 10;"
      "CREATE SEQUENCE turned INCREMENT -1 MAXVALUE 9 MINVALUE 1;"
      "SELECT setval('behind', 3), setval('ahead', 100), setval('turned', 7)");
  const auto verdict = pair.compare({"--waive", "sequence *"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.definitions(), IsEmpty());
  EXPECT_THAT(verdict.remarks("differences"),
              ElementsAre("sequence public.behind: will give 13 on the target, where the source gives 105",
                          "sequence public.turned: steps by 1 at the source and by -1 on the target"));
}

TEST(Faults, ASequenceThatWillCollideIsFoundWhereTheSourceWouldNot) {
  const char* sql =
      "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (DEFAULT), (DEFAULT), (DEFAULT);"
      "CREATE TABLE behind (id serial PRIMARY KEY); INSERT INTO behind VALUES (50)";
  const Pair pair(sql, sql);
  pair.target.exec("INSERT INTO t VALUES (40)");
  const auto verdict = pair.compare({"--level", "counts"});
  EXPECT_THAT(
      verdict.remarks("differences"),
      ElementsAre(HasSubstr("sequence public.t_id_seq: will give 4, but public.t.id has reached 40")));
  // Behind its own column on both sides: faithful, but worth knowing.
  EXPECT_THAT(verdict.remarks("notes"), ElementsAre(HasSubstr("public.behind_id_seq")));
  EXPECT_EQ(verdict.state("public.t"), "different");
  EXPECT_EQ(verdict.state("public.behind"), "equal");
}

// --------------------------------------------------------------------------------- written differently only

// Many labels: by chance alone they could not all hash into the same leaves on both sides.
constexpr const char* kMood =
    "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o');";

constexpr const char* kPhysicalSource = R"(
    CREATE TABLE t (id int PRIMARY KEY, a text, b timestamptz, c bytea, d interval, f float8[], f4 float4[], g date);
    INSERT INTO t SELECT i, 'a' || i, '2024-03-01 12:00+00'::timestamptz + i * interval '1 hour', decode(md5(i::text), 'hex'),
                         i * interval '1 month 2 days', CASE WHEN i = 7 THEN '{NaN}' ELSE ARRAY[i / 3.0::float8] END,
                         CASE WHEN i = 7 THEN '{NaN}' ELSE ARRAY[i / 3.0::float4] END, date '2024-01-01' + i
                    FROM generate_series(1, 3000) i;
    CREATE TABLE floats (id int PRIMARY KEY, e float8, e4 float4);
    INSERT INTO floats SELECT i, CASE WHEN i = 7 THEN 'NaN' ELSE i / 7.0::float8 END,
                              CASE WHEN i = 7 THEN 'NaN' ELSE i / 7.0::float4 END FROM generate_series(1, 3000) i;
    CREATE TABLE p (m mood, id int, v text) PARTITION BY HASH (m);
    CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    INSERT INTO p SELECT (enum_range(NULL::mood))[1 + i % 15], i, 'v' FROM generate_series(1, 300) i;
    CREATE TABLE parent (id int, v text); CREATE TABLE child (w int) INHERITS (parent);
    INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 3);
    CREATE TABLE unlike (id int PRIMARY KEY, v text); INSERT INTO unlike SELECT i, 'x' FROM generate_series(1, 20) i;)";

// Columns in another order, or dropped; labels and leaves with other hashes; other leaves.
constexpr const char* kPhysicalTarget = R"(
    CREATE TABLE t (dropped int, g date, f float8[], f4 float4[], d interval, gone text, c bytea, b timestamptz,
                    a text COLLATE "C", id int PRIMARY KEY);
    ALTER TABLE t DROP dropped, DROP gone;
    CREATE TABLE floats (e4 float4, e float8, id int PRIMARY KEY);
    CREATE TABLE p (id int, v text, m mood) PARTITION BY HASH (m);
    CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    CREATE TABLE parent (v text, id int); CREATE TABLE child (w int) INHERITS (parent);
    CREATE TABLE unlike (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE unlike_1 PARTITION OF unlike FOR VALUES FROM (0) TO (10);
    CREATE TABLE unlike_2 PARTITION OF unlike FOR VALUES FROM (10) TO (100);)";

constexpr const char* kPhysicalRows = R"(
    INSERT INTO p SELECT i, 'v', (enum_range(NULL::mood))[1 + i % 15] FROM generate_series(300, 1, -1) i;
    INSERT INTO parent (id, v) VALUES (1, 'p'); INSERT INTO child (id, v, w) VALUES (2, 'c', 3);
    INSERT INTO unlike SELECT i, 'x' FROM generate_series(1, 20) i;
    INSERT INTO t (id, a, b, c, d, f, f4, g)
      SELECT i, 'a' || i, '2024-03-01 12:00+00'::timestamptz + i * interval '1 hour', decode(md5(i::text), 'hex'),
             i * interval '1 month 2 days', CASE WHEN i = 7 THEN ARRAY[-'NaN'::float8] ELSE ARRAY[i / 3.0::float8] END,
             CASE WHEN i = 7 THEN ARRAY[-'NaN'::float4] ELSE ARRAY[i / 3.0::float4] END,
             date '2024-01-01' + i FROM generate_series(3000, 1, -1) i;
    INSERT INTO floats (id, e, e4)
      SELECT i, CASE WHEN i = 7 THEN -'NaN'::float8 ELSE i / 7.0::float8 END,
             CASE WHEN i = 7 THEN -'NaN'::float4 ELSE i / 7.0::float4 END FROM generate_series(3000, 1, -1) i;
    UPDATE t SET a = a WHERE id % 3 = 0;)";

void make_physical_target(const support::TestDatabase& target) {
  target.exec("CREATE TYPE filler AS ENUM ('x');" + std::string(kMood) + kPhysicalTarget);
}

/// For sessions to come.
void set_otherwise(const support::TestDatabase& target) {
  target.exec(fmt::format(R"(
    ALTER DATABASE {0} SET TimeZone = 'Asia/Kathmandu'; ALTER DATABASE {0} SET DateStyle = 'SQL, DMY';
    ALTER DATABASE {0} SET IntervalStyle = 'iso_8601'; ALTER DATABASE {0} SET bytea_output = 'escape';
    ALTER DATABASE {0} SET extra_float_digits = 0; ALTER DATABASE {0} SET search_path = nowhere;
    ALTER DATABASE {0} SET row_security = on; ALTER DATABASE {0} SET standard_conforming_strings = off;)",
                          target.name()));
}

constexpr const char* kLeavesOfLabels =
    "SELECT string_agg(DISTINCT m || ' in ' || (SELECT relname FROM pg_class c WHERE c.oid = p.tableoid), ', "
    "') "
    "FROM public.p";

TEST(NoFalseAlarms, PhysicalDifferencesAreNone) {
  const Pair pair(std::string(kMood) + kPhysicalSource);
  make_physical_target(pair.target);
  pair.target.exec(kPhysicalRows);
  set_otherwise(pair.target);
  // The differences are really there.
  for (const auto* sql :
       {"SELECT encode(float8send(e), 'hex') FROM public.floats WHERE id = 7",
        "SELECT encode(float4send(e4), 'hex') FROM public.floats WHERE id = 7",
        "SELECT encode(float8send(f[1]), 'hex') FROM public.t WHERE id = 7",
        "SELECT encode(float4send(f4[1]), 'hex') FROM public.t WHERE id = 7", kLeavesOfLabels})
    EXPECT_NE(pair.source.value(sql), pair.target.value(sql)) << sql;
  const auto verdict = pair.compare({"--split-size", "64kB"});
  EXPECT_THAT(verdict.in_state("different"), IsEmpty()) << verdict.text();
  EXPECT_EQ(verdict.report.at("source").at("settings").at("DateStyle"), "ISO, YMD");
  EXPECT_EQ(verdict.report.at("target").at("settings"), verdict.report.at("source").at("settings"));
  EXPECT_THAT(pair.compare({"--server-side"}).in_state("different"), IsEmpty());
  EXPECT_THAT(pair.compare({"--strong"}).in_state("different"), IsEmpty());
  EXPECT_THAT(verdict.in_state("unchecked"), IsEmpty());
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.child", "public.floats", "public.p",
                                                     "public.parent", "public.t", "public.unlike"));
  EXPECT_EQ(verdict.table("public.floats").at("format"), "binary");
  EXPECT_EQ(verdict.table("public.p").at("kind"), "partitioned table");
  // What is not a matter of rows: another shape of a table.
  EXPECT_THAT(verdict.definitions(), Contains(HasSubstr("table public.unlike")));

  // And a difference in a tree is found at its root.
  pair.target.exec(
      "UPDATE public.p SET v = 'w' WHERE id = 17; UPDATE public.unlike SET v = 'y' WHERE id = 12");
  const auto changed = pair.compare();
  EXPECT_THAT(changed.in_state("different"), ElementsAre("public.p", "public.unlike"));
  EXPECT_THAT(changed.rows("public.unlike"), ElementsAre(R"(changed {"id":"12"} v)"));
}

TEST(NoFalseAlarms, ANaNOfOtherBitsIsTheSameKey) {
  constexpr const char* kKeys = "CREATE TABLE t (e float8, e4 float4, v text, PRIMARY KEY (e, e4));";
  const Pair pair(
      std::string(kKeys) + "INSERT INTO t VALUES ('NaN', 'NaN', 'a'), (-0.0, 0, 'b')",
      std::string(kKeys) + "INSERT INTO t VALUES (-'NaN'::float8, -'NaN'::float4, 'a'), (-0.0, 0, 'b')");
  ASSERT_NE(pair.source.value("SELECT encode(float8send(e), 'hex') FROM t WHERE v = 'a'"),
            pair.target.value("SELECT encode(float8send(e), 'hex') FROM t WHERE v = 'a'"));
  EXPECT_EQ(pair.compare().code(), 0);
  pair.target.exec("UPDATE t SET v = 'c' WHERE v = 'a'");
  EXPECT_THAT(pair.compare().rows("public.t"), ElementsAre(R"(changed {"e":"NaN","e4":"NaN"} v)"));
}

// After a copy into tables that somebody had made so, rows moved about since.
TEST(NoFalseAlarms, PhysicalDifferencesAreNoneAfterACopyEither) {
  const copy::test::Move move(std::string(kMood) + kPhysicalSource);
  make_physical_target(move.target);
  set_otherwise(move.target);
  // A partitioned target of a plain table is nothing that a copy could read back.
  for (const auto* database : {&move.source, &move.target}) database->exec("DROP TABLE public.unlike");
  ASSERT_TRUE(exits(move.copy({"--schema", "none", "--split-size", "64kB"}), 0));
  move.target.exec(R"(
    SET search_path = public; UPDATE t SET a = a WHERE id % 3 = 0; UPDATE p SET v = v WHERE id % 2 = 0; UPDATE floats SET e = e;
    CREATE TABLE moved AS SELECT * FROM t ORDER BY id DESC; TRUNCATE t; INSERT INTO t SELECT * FROM moved; DROP TABLE moved;
    CLUSTER floats USING floats_pkey; ANALYZE)");
  EXPECT_NE(move.source.value(kLeavesOfLabels), move.target.value(kLeavesOfLabels));
  for (const auto* split : {"64kB", "1GB"}) {
    const auto verdict =
        compare("", move.target.url(), {"--run-dir", move.way.run_dir(), "--split-size", split});
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.in_state("equal"),
                ElementsAre("public.child", "public.floats", "public.p", "public.parent", "public.t"));
  }
  move.target.exec("UPDATE public.p SET v = 'w' WHERE id = 17");
  EXPECT_THAT(compare("", move.target.url(), {"--run-dir", move.way.run_dir()}).in_state("different"),
              ElementsAre("public.p"));
}

/// Relations with rows of their own that a verdict passes over in silence: neither compared, nor part of a
/// partitioned table that was, nor named as left out.
std::vector<std::string> passed_over(const support::TestDatabase& database, const Verdict& verdict) {
  std::set<std::string> named;
  for (const auto& table : verdict.report.at("tables")) named.insert(table.at("name"));
  for (const auto& skipped : verdict.report.at("skipped")) named.insert(skipped.at("object"));
  std::map<std::string, bool> relations;
  for (const auto& row : database.exec(R"(
         WITH RECURSIVE above (oid, root) AS (
           SELECT oid, oid FROM pg_class WHERE relkind IN ('r', 'm', 'f') AND relpersistence <> 't'
           UNION ALL
           SELECT a.oid, i.inhparent FROM above a JOIN pg_class c ON c.oid = a.root AND c.relispartition
             JOIN pg_inherits i ON i.inhrelid = c.oid)
         SELECT n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
                rn.nspname, r.relname
           FROM above a JOIN pg_class c ON c.oid = a.oid JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_class r ON r.oid = a.root JOIN pg_namespace rn ON rn.oid = r.relnamespace
          WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cutover')
            AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'))")) {
    const auto name = pg::QualifiedName{*row[0], *row[1]}.display();
    const auto root = pg::QualifiedName{*row[3], *row[4]}.display();
    relations[name] |= named.contains(root) || named.contains(*row[2] + " " + name);
  }
  EXPECT_FALSE(relations.empty());
  std::vector<std::string> out;
  for (const auto& [name, is_named] : relations)
    if (!is_named) out.push_back(name);
  return out;
}

struct Sample {
  const char* name;
  const char* file;
  int target_major;
  friend void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }
};

class CopiedSample : public ::testing::TestWithParam<Sample> {};

TEST_P(CopiedSample, IsEqualInEveryMode) {
  const support::TestDatabase source(source_server());
  source.psql_file(data_file(GetParam().file), {{"scale", "0.01"}});
  auto& server = target_server(GetParam().target_major);
  server.psql_file("postgres", data_file("atlas_roles.sql"));
  const support::TestDatabase target(server);
  const copy::test::Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy({"--jobs", "2"}), 0));
  const std::vector<std::pair<std::string, Arguments>> modes{
      {source.url(), {}}, {source.url(), {"--server-side"}}, {"", {"--run-dir", way.run_dir()}}};
  for (const auto& [from, mode] : modes) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    const auto verdict = compare(from, target.url(), mode);
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.in_state("unchecked"), IsEmpty());
    EXPECT_THAT(passed_over(source, verdict), IsEmpty());
    EXPECT_GT(verdict.in_state("equal").size(), 10U);
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, CopiedSample,
                         ::testing::Values(Sample{"AllTypesTo15", "all_types.sql", 15},
                                           Sample{"AllTypesTo17", "all_types.sql", 17},
                                           Sample{"AllTypesTo18", "all_types.sql", 18},
                                           Sample{"HostileTo17", "hostile.sql", 17},
                                           Sample{"HostileTo18", "hostile.sql", 18},
                                           Sample{"AtlasTo16", "atlas.sql", 16}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace verify::test
