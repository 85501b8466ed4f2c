// What is left out of a comparison is named; what only looks like it is compared.

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kExtensionTables = R"(
  CREATE EXTENSION hstore;
  CREATE TABLE conf (id int PRIMARY KEY, v text);
  CREATE TABLE internal (a int);
  ALTER EXTENSION hstore ADD TABLE conf;
  ALTER EXTENSION hstore ADD TABLE internal;
  UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], extcondition = ARRAY[''] WHERE extname = 'hstore';)";

// No catalog has an extension's tables, since the extension makes them: their shape is looked at with their
// rows.
TEST(LeftOut, AnExtensionsConfigurationIsComparedColumnByColumn) {
  const Pair pair(kExtensionTables, kExtensionTables);
  const auto equal = pair.compare();
  EXPECT_EQ(equal.code(), 0) << equal.text();
  EXPECT_EQ(equal.state("public.conf"), "equal");
  EXPECT_THAT(equal.remarks("skipped"),
              ElementsAre("table public.internal: extension hstore brings its rows along"));
  pair.source.exec("ALTER TABLE conf ADD extra int; INSERT INTO conf VALUES (1, 'x', 7)");
  pair.target.exec("INSERT INTO conf VALUES (1, 'x')");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.remarks("differences"),
              ElementsAre("table public.conf: has no column extra on the target"));
}

TEST(LeftOut, RowsOfAConfigurationTableThatOnlyTheTargetHasAreExtra) {
  const char* ours = "CREATE TABLE ours (id int PRIMARY KEY); CREATE EXTENSION hstore";
  const Pair pair(ours, kExtensionTables, 15, 17);
  pair.target.exec("CREATE TABLE ours (id int PRIMARY KEY)");
  const auto empty = pair.compare();
  EXPECT_EQ(empty.code(), 0) << empty.text();
  EXPECT_THAT(empty.remarks("notes"), ElementsAre(HasSubstr("table public.conf: only the target's version")));
  pair.target.exec("INSERT INTO conf VALUES (5, 'x')");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.rows("public.conf"), ElementsAre(R"(extra {"id":"5"})"));
  EXPECT_EQ(pair.compare({"--server-side"}).rows("public.conf").size(), 1U);
}

// The condition is a table's own business when an extension has it, and the user's when --where does.
TEST(LeftOut, RowsThatAFilterLeavesOutAreSaidToBe) {
  copy::test::Move move(R"(
    CREATE EXTENSION hstore; CREATE TABLE conf (id int PRIMARY KEY);
    ALTER EXTENSION hstore ADD TABLE conf;
    UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], extcondition = ARRAY['WHERE id > 0']
     WHERE extname = 'hstore';
    CREATE TABLE orders (id int PRIMARY KEY, year int); INSERT INTO orders VALUES (1, 2020), (2, 2021))");
  move.target.exec(R"(
    CREATE EXTENSION hstore; CREATE TABLE conf (id int PRIMARY KEY);
    ALTER EXTENSION hstore ADD TABLE conf;
    UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], extcondition = ARRAY['WHERE id > 0']
     WHERE extname = 'hstore')");
  const Arguments filter{"--where", "public.orders=year > 2020"};
  ASSERT_TRUE(exits(move.copy(filter), 0));
  const Arguments after_copy{"--run-dir", move.way.run_dir()};
  for (const auto& verdict :
       {compare(move.source.url(), move.target.url(), filter), compare("", move.target.url(), after_copy)}) {
    EXPECT_EQ(verdict.code(), 0) << verdict.text();
    EXPECT_THAT(verdict.process.output, HasSubstr("every one of the selected rows digested"));
    EXPECT_THAT(verdict.process.output,
                HasSubstr("selected rows:\n  of public.orders only rows where year > 2020 were compared\n"));
    EXPECT_THAT(verdict.process.output, ::testing::Not(HasSubstr("of public.conf")));
  }
}

// The copy sets their values, as pg_dump does.
TEST(LeftOut, AnExtensionsConfigurationSequenceIsCompared) {
  const char* sql = R"(
    CREATE TABLE t (id int PRIMARY KEY);
    CREATE EXTENSION hstore; CREATE SEQUENCE counter; CREATE SEQUENCE inner_counter;
    ALTER EXTENSION hstore ADD SEQUENCE counter; ALTER EXTENSION hstore ADD SEQUENCE inner_counter;
    UPDATE pg_extension SET extconfig = ARRAY['counter'::regclass::oid], extcondition = ARRAY['']
     WHERE extname = 'hstore')";
  const Pair pair(sql, sql);
  EXPECT_EQ(pair.compare().code(), 0);
  pair.source.exec("SELECT setval('counter', 7), setval('inner_counter', 7)");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.remarks("differences"), ElementsAre(HasSubstr("sequence public.counter: will give 1")));
}

// It is there for the table, whatever pattern names that; so is all that makes it what it is.
TEST(LeftOut, ASequenceThatASelectedTableTakesValuesOfIsComparedWhole) {
  const char* sql = R"(
    CREATE SEQUENCE shared; CREATE SEQUENCE unused;
    CREATE TABLE kept (id int PRIMARY KEY DEFAULT nextval('shared'), own serial);
    CREATE TABLE log (id int DEFAULT nextval('shared')); ALTER SEQUENCE shared OWNED BY log.id;)";
  const Pair pair(sql, sql);
  const auto only_kept = [&] { return pair.compare({"--include", "public.kept"}); };
  const auto equal = only_kept();
  EXPECT_EQ(equal.code(), 0) << equal.text();
  pair.target.exec(
      "ALTER SEQUENCE shared MAXVALUE 9 CACHE 3 CYCLE; GRANT USAGE ON shared TO PUBLIC; "
      "ALTER SEQUENCE kept_own_seq INCREMENT 2; ALTER SEQUENCE unused CACHE 7");
  const auto verdict = only_kept();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.definitions(),
              ElementsAre("sequence public.kept_own_seq increment", "sequence public.shared cache",
                          "sequence public.shared cycle", "sequence public.shared maximum",
                          "sequence public.shared privileges of PUBLIC"));
  EXPECT_THAT(verdict.remarks("differences"), IsEmpty()) << "named once";
  EXPECT_EQ(pair.compare({"--exclude", "public.log"}).definitions().size(), 6U)
      << "and the one that nobody uses";
  pair.target.exec("ALTER TABLE kept ALTER id DROP DEFAULT; DROP SEQUENCE shared CASCADE");
  EXPECT_THAT(only_kept().definitions(), Contains("sequence public.shared"));
}

// A copy that leaves the owner out makes the sequence without an owner.
TEST(LeftOut, TheOwnerOfASequenceIsLeftOutWithItsTable) {
  const copy::test::Move move(R"(
    CREATE TABLE log (id serial); CREATE TABLE kept (id int PRIMARY KEY DEFAULT nextval('log_id_seq'));
    INSERT INTO kept DEFAULT VALUES;)");
  ASSERT_TRUE(exits(move.copy({"--exclude", "public.log"}), 0));
  const auto verdict = compare(move.source.url(), move.target.url(), {"--exclude", "public.log"});
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_EQ(verdict.report.at("catalog").at("compared").at("sequence"), 1);
}

TEST(LeftOut, ASchemaIsNotTheProvidersByItsNameAlone) {
  const char* sql =
      "CREATE SCHEMA cron; CREATE TABLE cron.mine (id int PRIMARY KEY); CREATE SEQUENCE cron.counter";
  const Pair pair(sql, sql);
  pair.source.exec("INSERT INTO cron.mine VALUES (1); SELECT nextval('cron.counter')");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.in_state("different"), ElementsAre("cron.mine"));
  EXPECT_THAT(verdict.remarks("differences"), ElementsAre(HasSubstr("sequence cron.counter")));
}

TEST(LeftOut, AndSoItIsCopied) {
  const copy::test::Move move(
      "CREATE SCHEMA cron; CREATE TABLE cron.mine (id int PRIMARY KEY); INSERT INTO cron.mine VALUES (1)");
  ASSERT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM cron.mine"), "1");
}

constexpr const char* kForeignPartition = R"(
  CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TABLE p (m mood) PARTITION BY HASH (m);
  CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1) SERVER srv;)";

TEST(LeftOut, AForeignPartitionOfATreeThatIsComparedAsAWhole) {
  const Pair pair(kForeignPartition, kForeignPartition);
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.p"));
  EXPECT_THAT(verdict.remarks("skipped"),
              ElementsAre("foreign table public.p1: its rows live elsewhere: it is a foreign table"));
}

// It is neither one of the leaves that are compared as one, nor compared with a table.
TEST(LeftOut, ADetachedTableIsNotWaivedWithItsShape) {
  const std::string tree = R"(
    CREATE TABLE p (id int) PARTITION BY RANGE (id);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (10);)";
  const Pair pair(tree + "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
                  tree + "CREATE TABLE p1 (id int); INSERT INTO p1 VALUES (5)");
  const Arguments waived{"--waive", "table public.p1 *"};
  const auto verdict = pair.compare(waived);
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.remarks("unchecked"),
              ElementsAre(HasSubstr("table public.p1: is by itself on the target")));
  // The other way round both are compared: as one, and with each other.
  pair.target.exec("ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10)");
  pair.source.exec("ALTER TABLE p DETACH PARTITION p1");
  const auto detached = pair.compare(waived);
  EXPECT_EQ(detached.code(), 1) << detached.text();
  EXPECT_THAT(detached.in_state("different"), ElementsAre("public.p", "public.p1"));
}

TEST(LeftOut, OptionsThatNobodySawMayBeWaived) {
  const support::TestRole reader(target_server());
  const char* sql =
      "CREATE TABLE t (id int PRIMARY KEY); GRANT SELECT ON t TO PUBLIC; CREATE FOREIGN DATA WRAPPER w; "
      "CREATE SERVER srv FOREIGN DATA "
      "WRAPPER w; "
      "CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (password 'x')";
  const Pair pair(sql, sql);
  const auto as_reader = [&](const Arguments& more) {
    return compare(pair.source.url(), pair.target.url(reader.name()), more);
  };
  const auto verdict = as_reader({});
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.remarks("unchecked"),
              ElementsAre(HasSubstr("options of user mapping PUBLIC@srv at the target")));
  EXPECT_THAT(verdict.process.output, HasSubstr("--waive 'user mapping PUBLIC@srv option *'"));
  EXPECT_THAT(verdict.definitions(), IsEmpty());
  const auto waived = as_reader({"--waive", "user mapping PUBLIC@srv option *"});
  EXPECT_EQ(waived.code(), 5) << waived.text();
  EXPECT_THAT(waived.process.output, HasSubstr("user mapping PUBLIC@srv: option * not compared"));
}

}  // namespace
}  // namespace verify::test
