// What differs is mended, and nothing else is touched.

#include <fmt/format.h>

#include "tests/copy/sample.h"
#include "tests/verify/patient.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr const char* kTable =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, "
    "9) i;";

TEST(Repair, IsPlannedFirst) {
  const Patient patient(kTable, kTable);
  patient.target.exec(
      "DELETE FROM t WHERE id = 1; UPDATE t SET v = 'x' WHERE id = 2; INSERT INTO t VALUES (10, 'y')");
  const auto before = patient.rows("t");
  const auto plan = patient.repair();
  EXPECT_EQ(plan.code(), 1) << plan.text();
  EXPECT_THAT(steps(plan), ElementsAre("rows public.t 1/1/1/0"));
  EXPECT_THAT(plan.process.output, HasSubstr("nothing was changed"));
  EXPECT_EQ(patient.rows("t"), before);
  // Without a terminal nobody is asked: it must be said.
  EXPECT_EQ(patient.repair({"--apply"}).code(), 2);
  EXPECT_EQ(patient.rows("t"), before);

  const auto done = patient.apply();
  EXPECT_EQ(done.code(), 0) << done.text();
  EXPECT_EQ(done.report.at("verdict"), "repaired");
  EXPECT_EQ(done.report.at("after").at("verdict"), "equal");
  patient.expect_equal();
  EXPECT_EQ(patient.apply().report.at("verdict"), "equal");
}

TEST(Repair, TheScriptDoesTheSame) {
  const Patient patient(kTable, kTable);
  patient.source.exec(R"(UPDATE t SET v = E'tab\t new\n line \\ ''quote' WHERE id = 3)");
  patient.target.exec("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (10, 'y')");
  const support::TempDir directory;
  const auto script = directory.path() / "repair.sql";
  EXPECT_EQ(patient.repair({"--script", script}).code(), 1);
  patient.target.psql_file(script);
  patient.expect_equal();
  EXPECT_EQ(std::filesystem::status(script).permissions() & std::filesystem::perms::others_read,
            std::filesystem::perms::none);
}

// Keys of many kinds, unique values that swap, columns that the server makes.
TEST(Repair, RowsOfEveryKindOfTable) {
  const std::string sql = R"(
    CREATE TABLE swap (id int PRIMARY KEY, u text UNIQUE, twice int GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO swap (id, u) VALUES (1, 'a'), (2, 'b'), (3, 'c');
    CREATE TABLE ident (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Odd ""name" text);
    INSERT INTO ident ("Odd ""name") VALUES ('one'), ('two'), ('three');
    CREATE TABLE keys (a text, b numeric, c timestamptz, d bytea, v jsonb, PRIMARY KEY (a, b, c, d));
    INSERT INTO keys VALUES ('it''s \', 1.10, '2020-02-29 12:00:00.123456+00', '\x00ff', '{"a": 1.0}'),
                            (E'tab\there', -5, '0044-03-15 00:00:00+00 BC', '', '{}'), ('gone', 'NaN', 'infinity', '\x01', '[]');
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'fine');
    CREATE TABLE tree (m mood, id int, PRIMARY KEY (m, id)) PARTITION BY HASH (m);
    CREATE TABLE tree0 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE tree1 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO tree SELECT (ARRAY['sad', 'ok', 'fine'])[1 + i % 3]::mood, i FROM generate_series(1, 30) i;
    CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (10);
    CREATE TABLE part_high PARTITION OF part DEFAULT;
    INSERT INTO part SELECT i, 'p' FROM generate_series(1, 20) i;
    CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
    INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (1, 'c'), (2, 'c');)";
  const Patient patient(sql, sql);
  patient.target.exec(R"(
    UPDATE swap SET u = 'tmp' WHERE id = 1; UPDATE swap SET u = 'a' WHERE id = 2; UPDATE swap SET u = 'b' WHERE id = 1;
    DELETE FROM ident WHERE id = 2; UPDATE ident SET "Odd ""name" = 'x' WHERE id = 3; SELECT setval('ident_id_seq', 2);
    UPDATE keys SET v = '{"a": 1.00}' WHERE b = 1.1; DELETE FROM keys WHERE a = 'gone'; INSERT INTO keys VALUES ('', 0, 'epoch', '', NULL);
    DELETE FROM tree WHERE id = 7; INSERT INTO tree VALUES ('ok', 1000);
    UPDATE part SET v = 'x' WHERE id IN (3, 15); DELETE FROM part WHERE id = 20;
    UPDATE ONLY parent SET v = 'x'; UPDATE child SET v = 'x' WHERE id = 1;)");
  const auto done = patient.apply();
  EXPECT_EQ(done.code(), 0) << done.text();
  EXPECT_THAT(steps(done),
              UnorderedElementsAre("rows public.swap 0/0/2/0", "rows public.ident 1/0/1/0",
                                   "rows public.keys 1/1/1/0", "rows public.tree 1/1/0/0",
                                   "rows public.part_low 0/0/1/0", "rows public.part_high 1/0/1/0",
                                   "rows public.parent 0/0/1/0", "rows public.child 0/0/1/0",
                                   "sequence sequence public.ident_id_seq 0/0/0/0"));
  patient.expect_equal();
}

// Rows that refer to each other, and what fires on rows: with a superuser's session_replication_role, and for
// a plain owner, whose foreign keys are dropped and come back.
class RepairGuards : public ::testing::TestWithParam<bool> {};

TEST_P(RepairGuards, StandAsideAndComeBack) {
  const support::TestRole owner(target_server());
  const std::string role = support::sql_identifier(owner.name());
  const std::string sql = R"(
    CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a, v text);
    CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL, CONSTRAINT to_a FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE);
    COMMENT ON CONSTRAINT to_a ON b IS 'kept';
    INSERT INTO a VALUES (1, NULL, 'x'), (2, 1, 'y'), (3, 2, 'z'); INSERT INTO b SELECT i, 1 + i % 3 FROM generate_series(1, 6) i;
    CREATE TABLE log (what text);
    CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (TG_NAME); RETURN NULL; END $$;
    CREATE TRIGGER plain AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION say();
    CREATE TRIGGER always AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION say();
    ALTER TABLE a ENABLE ALWAYS TRIGGER always;
    CREATE TRIGGER off AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION say(); ALTER TABLE a DISABLE TRIGGER off;
    CREATE RULE no_delete AS ON DELETE TO b DO INSTEAD NOTHING;)";
  const Patient patient(sql, sql);
  patient.target.exec(R"(
    ALTER TABLE a DISABLE TRIGGER USER; ALTER TABLE b DISABLE RULE no_delete;
    UPDATE a SET v = 'changed' WHERE id = 1; DELETE FROM b WHERE id = 6; INSERT INTO a VALUES (9, NULL, 'extra'); INSERT INTO b VALUES (9, 9);
    ALTER TABLE a ENABLE TRIGGER plain; ALTER TABLE a ENABLE ALWAYS TRIGGER always; ALTER TABLE b ENABLE RULE no_delete;)");
  if (!GetParam())
    patient.target.exec(
        fmt::format("ALTER TABLE a OWNER TO {0}; ALTER TABLE b OWNER TO {0}; ALTER TABLE log OWNER TO {0}; "
                    "GRANT ALL ON SCHEMA public TO {0}",
                    role));
  const Arguments no_owners{"--include", "public"};
  const auto done = patient.apply(no_owners, GetParam() ? "postgres" : owner.name());
  EXPECT_THAT(steps(done), UnorderedElementsAre("rows public.a 0/1/1/0", "rows public.b 1/1/0/0"))
      << done.text();
  EXPECT_THAT(done.remarks("notes"), Contains(HasSubstr("trigger always of public.a")));
  const auto verdict = patient.compare({"--no-owners", "--no-grants"});
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_EQ(patient.target.value("SELECT count(*) FROM log"), "0");
}
INSTANTIATE_TEST_SUITE_P(, RepairGuards, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Superuser" : "PlainOwner"; });

TEST(Repair, AForeignKeyThatWouldBeViolatedUndoesAll) {
  const char* sql =
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
      "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 1);";
  const Patient patient(sql, sql);
  patient.source.exec("DELETE FROM a WHERE id = 2");
  patient.target.exec("UPDATE b SET a = 2");
  const auto done = patient.apply({"--exclude", "public.b"});
  EXPECT_EQ(done.code(), 3) << done.text();
  EXPECT_THAT(done.process.error, HasSubstr("b_a_fkey"));
  EXPECT_EQ(patient.rows("a"), "(1) (2)");
  EXPECT_EQ(patient.apply().code(), 0);
  patient.expect_equal();
}

TEST(Repair, WhatHasNoKeyOrIsMostlyOtherIsCopiedAgainOnlyWhenToldTo) {
  const char* sql =
      "CREATE TABLE no_key (v int); INSERT INTO no_key VALUES (1), (1), (2); CREATE TABLE t (id int PRIMARY "
      "KEY, v int);"
      "INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i; CREATE TABLE few (id int PRIMARY KEY); "
      "INSERT INTO few VALUES (1)";
  const Patient patient(sql, sql);
  patient.target.exec("DELETE FROM no_key WHERE v = 2; UPDATE t SET v = -v WHERE id <= 200; DELETE FROM few");
  const auto before = patient.rows("t");
  // What is so far off stops the whole: the next table may be another database's too, and be small.
  const auto refused = patient.apply();
  EXPECT_EQ(refused.code(), 2) << refused.text();
  EXPECT_THAT(refused.process.error, HasSubstr("too much differs in public.t"));
  EXPECT_EQ(patient.target.value("SELECT count(*) FROM few"), "0");
  const auto partly = patient.apply({"--exclude", "public.t"});
  EXPECT_EQ(partly.code(), 1) << partly.text();
  EXPECT_THAT(steps(partly), ElementsAre("rows public.few 1/0/0/0"));
  EXPECT_THAT(partly.remarks("left"), ElementsAre(HasSubstr("public.no_key: it has no key")));
  EXPECT_THAT(patient.repair().remarks("left"), Contains(HasSubstr("public.t: 20 % of its rows differ")));
  EXPECT_EQ(patient.rows("t"), before);
  const auto all = patient.apply({"--recopy", "public.no_key", "--most", "20"});
  EXPECT_EQ(all.code(), 0) << all.text();
  EXPECT_THAT(steps(all), UnorderedElementsAre("recopy public.no_key 1/0/0/0", "rows public.t 0/0/200/0"));
  patient.expect_equal();
}

TEST(Repair, OnlySelectedRowsAreTouched) {
  const char* sql =
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i;";
  const Patient patient(sql, sql);
  patient.target.exec("UPDATE t SET v = 1 WHERE id IN (2, 8)");
  EXPECT_EQ(patient.apply({"--where", "public.t=id < 5"}).code(), 0);
  EXPECT_EQ(patient.target.value("SELECT string_agg(id::text, ',') FROM t WHERE v = 1"), "8");
}

TEST(Repair, MaterializedViewsAreRefreshedAndTheRestIsNamed) {
  const std::string sql =
      std::string(kTable) + "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t WHERE v <> 'x';";
  const Patient patient(sql, sql);
  patient.target.exec(
      "UPDATE t SET v = 'x' WHERE id = 1; REFRESH MATERIALIZED VIEW m; ALTER TABLE t ALTER v SET DEFAULT "
      "'d'; "
      "CREATE TABLE other (id int);");
  patient.source.exec(
      "CREATE TABLE wide (id int PRIMARY KEY, v int); INSERT INTO wide VALUES (1, 2); SELECT "
      "lo_from_bytea(0, 'x')");
  patient.target.exec("CREATE TABLE wide (id int PRIMARY KEY, v int, mine int DEFAULT 5)");
  const auto done = patient.apply();
  EXPECT_EQ(done.code(), 1) << done.text();
  EXPECT_THAT(steps(done), ElementsAre("rows public.t 0/0/1/0", "refresh public.m 0/0/0/0"));
  EXPECT_EQ(done.report.at("after").at("verdict"), "equal");
  EXPECT_THAT(done.remarks("left"), Contains(HasSubstr("public.wide: has other columns on the target")));
  EXPECT_THAT(done.remarks("left"), Contains(HasSubstr("large objects: cannot be mended row by row")));
  EXPECT_THAT(done.remarks("left"), Contains(HasSubstr("definitions: ")));
}

TEST(Repair, TheWrongTargetIsRefused) {
  const copy::test::Move move(copy::test::kShop);
  ASSERT_TRUE(exits(move.copy(), 0));
  move.target.exec("UPDATE shop.product SET price = price + 1 WHERE id = 17");
  const support::TestDatabase other(target_server());
  const auto repair = [&](const std::string& source, const std::string& target) {
    return support::cutover({"repair", "--no-progress", "--apply", "--yes", "--source", source, "--target",
                             target, "--run-dir", move.way.run_dir()});
  };
  const auto wrong_target = repair(move.source.url(), other.url());
  EXPECT_TRUE(exits(wrong_target, 2));
  EXPECT_THAT(wrong_target.error, HasSubstr("is not the target of run"));
  const support::TestDatabase elsewhere(source_server());
  EXPECT_THAT(repair(elsewhere.url(), move.target.url()).error, HasSubstr("is not the source of run"));
  EXPECT_TRUE(exits(repair(move.source.url(), move.source.url()), 2));

  EXPECT_TRUE(exits(repair(move.source.url(), move.target.url()), 0));
  move.expect_equal();
  const auto kept = json::parse(copy::test::slurp(move.way.run_dir() / "repair-report.json"));
  EXPECT_EQ(kept.at("verdict"), "repaired");
  // What the copy said stands beside it.
  EXPECT_EQ(move.way.report().at("command"), "copy");
}

TEST(Reports, AreRenderedAgain) {
  const Patient patient(kTable, kTable);
  patient.target.exec("DELETE FROM t WHERE id = 1");
  const support::TempDir directory;
  const auto first = patient.compare({"--report", directory / "v.json", "--html", directory / "v.html"});
  EXPECT_EQ(first.code(), 1);
  const auto again = support::cutover({"report", directory / "v.json"});
  EXPECT_TRUE(exits(again, 1));
  EXPECT_EQ(again.output, first.process.output);
  const auto page = support::cutover({"report", directory / "v.json", "--format", "html"});
  EXPECT_EQ(page.output, copy::test::slurp(directory / "v.html"));
  EXPECT_THAT(page.output, HasSubstr("<b>DIFFERENT</b>"));
  EXPECT_EQ(json::parse(support::cutover({"report", directory / "v.json", "--format", "json"}).output)
                .at("command"),
            "verify");
  EXPECT_TRUE(exits(support::cutover({"report", directory / "none"}), 3));
  copy::test::spill(directory / "x.json", "{}");
  EXPECT_TRUE(exits(support::cutover({"report", directory / "x.json"}), 2));
}

}  // namespace
}  // namespace verify::test
