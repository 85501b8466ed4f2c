// "Not compared" is never "equal": each exits with 3 and is named.

#include <csignal>
#include <optional>

#include <fmt/format.h>

#include "tests/support/relay.h"
#include "tests/verify/halted.h"

namespace verify::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What one of the sides withholds, or where something happens: by whether that is the source.
class OnEitherSide : public ::testing::TestWithParam<bool> {
 protected:
  static bool at_source() { return GetParam(); }
  static std::string side() { return at_source() ? "source" : "target"; }
  static const support::TestDatabase& there(const Pair& pair) {
    return at_source() ? pair.source : pair.target;
  }
  /// As a role there that has only what was granted to it.
  Verdict compare_as_reader(const Pair& pair, const Arguments& more = {}) const {
    return at_source() ? compare(pair.source.url(reader_.name()), pair.target.url(), more)
                       : compare(pair.source.url(), pair.target.url(reader_.name()), more);
  }
  void grant_to_reader(const Pair& pair, const std::string& tables) const {
    there(pair).exec(
        fmt::format("GRANT SELECT ON {} TO {}", tables, support::sql_identifier(reader_.name())));
  }

 private:
  support::TestRole reader_{at_source() ? source_server() : target_server()};
};

INSTANTIATE_TEST_SUITE_P(Sides, OnEitherSide, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Source" : "Target"; });

TEST_P(OnEitherSide, RowsThatRowSecurityHides) {
  const Pair pair(kTwo, kTwo);
  there(pair).exec("ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id = 1)");
  grant_to_reader(pair, "a, b");
  const auto verdict = compare_as_reader(pair);
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("at the " + side()));
  EXPECT_THAT(verdict.table("public.a").at("hint"), HasSubstr("BYPASSRLS"));
  EXPECT_THAT(verdict.process.output, HasSubstr("UNVERIFIED"));
  // Whoever may see all rows compares them. The policy itself is a difference.
  const auto all = pair.compare({"--no-grants", "--waive", "policy *", "--waive", "table public.a *"});
  EXPECT_EQ(all.code(), 5) << all.text();
  EXPECT_THAT(all.in_state("equal"), ElementsAre("public.a", "public.b"));
}

TEST_P(OnEitherSide, WhatMayNotBeRead) {
  const Pair pair(std::string(kTwo) + "CREATE SEQUENCE s", std::string(kTwo) + "CREATE SEQUENCE s");
  grant_to_reader(pair, "b");
  const auto verdict = compare_as_reader(pair);
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot be read at the " + side()));
  EXPECT_THAT(verdict.remarks("unchecked"),
              Contains(HasSubstr("sequence public.s: cannot be read at the " + side())));
  // A difference beside it is still named, and the code is that of what could not be compared.
  there(pair).exec("DELETE FROM b");
  const auto both = compare_as_reader(pair, {"--level", "counts"});
  EXPECT_EQ(both.code(), 3);
  EXPECT_THAT(both.in_state("different"), ElementsAre("public.b"));
}

TEST_P(OnEitherSide, ATableThatIsCreatedMeanwhile) {
  const Pair pair(kTwo, kTwo);
  Halted halted(pair, there(pair));
  there(pair).exec("CREATE TABLE new_one (id int)");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.a", "public.b"));
  EXPECT_THAT(verdict.remarks("unchecked"),
              ElementsAre(fmt::format("table public.new_one: was created at the {} while the comparison ran",
                                      side())));
}

TEST_P(OnEitherSide, ATableThatIsTruncatedOrDroppedMeanwhile) {
  const char* sql =
      "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT i, repeat('x', 99) FROM "
      "generate_series(1, 500) i; CREATE TABLE b (id int); INSERT INTO b VALUES (1); CREATE TABLE c (id int)";
  const Pair pair(sql, sql);
  Halted halted(pair, there(pair));
  there(pair).exec("TRUNCATE b; DROP TABLE c");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.b", "public.c"));
  EXPECT_THAT(verdict.table("public.b").at("reason"), HasSubstr("truncated, rewritten or refreshed"));
}

TEST_P(OnEitherSide, AConnectionThatDoesNotComeBack) {
  const Pair pair(kTwo, kTwo);
  std::optional<support::Relay> way(std::in_place, there(pair).cluster().port());
  Halted halted(pair, there(pair), {"--retry-for", "500ms"}, way->port());
  way.reset();
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a", "public.b"));
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot be read at the " + side()));
  EXPECT_THAT(verdict.remarks("unchecked"),
              Contains(HasSubstr(fmt::format("tables made at the {} meanwhile", side()))));
}

// Its values could be digested in no form at all.
TEST(Unchecked, ATypeThatItsServerCannotWrite) {
  const char* sql = R"(
    CREATE TYPE mute;
    CREATE FUNCTION mute_in(cstring) RETURNS mute LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION mute_out(mute) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'trigger_out';
    CREATE TYPE mute (INPUT = mute_in, OUTPUT = mute_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
    CREATE TABLE a (id int PRIMARY KEY, v mute); INSERT INTO a VALUES (1, '7');
    CREATE TABLE b (id int PRIMARY KEY))";
  const Pair pair(sql, sql);
  for (const auto& mode : {Arguments{}, {"--server-side"}, {"--strong"}}) {
    SCOPED_TRACE(::testing::PrintToString(mode));
    const auto verdict = pair.compare(mode);
    EXPECT_EQ(verdict.code(), 3) << verdict.text();
    EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
    EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("cannot display a value"));
    EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
  }
}

TEST(Unchecked, AConnectionThatIsLostIsMadeAgain) {
  const Pair pair(kTwo, kTwo);
  Halted halted(pair);
  halted.exec("pg_terminate_backend(pid)");
  pair.target.wait_until(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = "
      "'advisory'");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.process.error, HasSubstr("trying again"));
}

TEST(Unchecked, ASnapshotThatIsLost) {
  const Pair pair(kTwo, kTwo);
  Halted halted(pair);
  // Everybody of the comparison, its keeper too.
  pair.target.exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = 'cutover verify'");
  const auto verdict = halted.go_on();
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("equal"), IsEmpty());
  EXPECT_THAT(verdict.table("public.a").at("reason"), HasSubstr("snapshot at the target is gone"));
}

TEST(Recheck, WhatWasOnItsWayDoesNotDifferTwice) {
  const Pair pair(kTwo, kTwo);
  pair.target.exec("DELETE FROM a WHERE id = 2; UPDATE b SET v = 'stays different'");
  const support::TempDir directory;
  support::Process process(
      support::cutover_program(),
      {"verify", "--source", pair.source.url(), "--target", pair.target.url(), "--recheck", "2", "--report",
       directory / "report.json", "--differences", directory / "rows"});
  process.wait_for_output("looking at them again");
  pair.target.exec("INSERT INTO a VALUES (2, 'y')");
  // Of b, only what stays is left.
  Verdict verdict{process.wait(), {}};
  verdict.report = json::parse(copy::test::slurp(directory / "report.json"));
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_EQ(verdict.state("public.a"), "equal");
  EXPECT_THAT(verdict.remarks("notes"), ElementsAre(HasSubstr("public.a: rows differed, but none of them")));
  EXPECT_THAT(verdict.rows("public.b"), ElementsAre(R"(changed {"id":"1"} v)"));
  const auto file = copy::test::slurp(directory / "rows");
  EXPECT_EQ(std::ranges::count(file, '\n'), 1) << file;
}

TEST(Unchecked, AnInterruptedComparisonIsIncomplete) {
  const Pair pair(kTwo, kTwo);
  Halted halted(pair);
  halted.process().kill(SIGTERM);
  EXPECT_TRUE(exits(halted.process().wait(), 4));
}

// A partition that was left out by the interrupted comparison is not taken for equal with its tree.
TEST(Resume, ATreeIsTheSameOnlyWithTheSamePartitions) {
  static support::Cluster source_cluster(15, {.settings = {"autovacuum = off"}});
  static support::Cluster target_cluster(15, {.settings = {"autovacuum = off"}});
  const support::TestDatabase source(source_cluster);
  const support::TestDatabase target(target_cluster);
  for (const auto* database : {&source, &target})
    database->exec(R"(
      CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE tree (m mood, id int, PRIMARY KEY (m, id)) PARTITION BY HASH (m);
      CREATE TABLE tree0 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE tree1 PARTITION OF tree FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      CREATE TABLE tiny (id int))");
  // Whichever partition the value belongs to: it is left out at first.
  const auto leaf = [](const support::TestDatabase& database) {
    return database.value("INSERT INTO tree VALUES ('sad', 1) RETURNING tableoid::regclass");
  };
  const auto at_source = leaf(source);
  const auto at_target = leaf(target);
  target.exec("INSERT INTO tree VALUES ('sad', 2)");
  const support::TempDir directory;
  const auto verify = [&](const Arguments& more, const std::map<std::string, std::string>& environment) {
    Arguments arguments{"verify",     "--no-progress", "--jobs",     "1",        "--source",
                        source.url(), "--target",      target.url(), "--resume", directory / "equal"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return support::cutover(arguments, {.environment = environment});
  };
  EXPECT_NE(verify({"--exclude", "public." + at_source + ",public." + at_target},
                   {{"CUTOVER_CRASH_AT", "verify_unit.after:2"}})
                .exit_code,
            1);
  const auto resumed = verify({}, {});
  EXPECT_TRUE(exits(resumed, 1));
  EXPECT_THAT(resumed.output, HasSubstr("compared by an interrupted run"));
}

// A comparison of both sides goes on where it stopped, as long as nothing has happened on either.
TEST(Resume, OfBothSidesGoesOnWhileNeitherChanges) {
  static support::Cluster source_cluster(15, {.settings = {"autovacuum = off"}});
  static support::Cluster target_cluster(15, {.settings = {"autovacuum = off"}});
  const support::TestDatabase source(source_cluster);
  const support::TestDatabase target(target_cluster);
  for (const auto* database : {&source, &target})
    database->exec(std::string(kTwo) + "CREATE TABLE c (id int)");
  const support::TempDir directory;
  const auto verify = [&](const std::map<std::string, std::string>& environment = {},
                          const Arguments& more = {}) {
    Arguments arguments{"verify",     "--no-progress", "--jobs",     "1",        "--source",
                        source.url(), "--target",      target.url(), "--resume", directory / "equal"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return support::cutover(arguments, {.environment = environment});
  };
  const std::map<std::string, std::string> crash{{"CUTOVER_CRASH_AT", "verify_unit.after:2"}};
  EXPECT_NE(verify(crash).exit_code, 0);
  EXPECT_EQ(std::filesystem::status(directory / "equal").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto resumed = verify();
  EXPECT_TRUE(exits(resumed, 0));
  EXPECT_THAT(resumed.output, HasSubstr("2 tables were compared by an interrupted run"));
  EXPECT_FALSE(std::filesystem::exists(directory / "equal"));
  for (const auto* side : {&source, &target}) {
    EXPECT_NE(verify(crash).exit_code, 0);
    side->exec("UPDATE a SET v = v || '!'; UPDATE b SET v = v || '!'");
    const auto changed = verify();
    EXPECT_TRUE(exits(changed, side == &source ? 1 : 0));
    EXPECT_THAT(changed.output, ::testing::Not(HasSubstr("interrupted")));
  }
  // What other digests found equal does not count.
  EXPECT_NE(verify(crash).exit_code, 0);
  EXPECT_THAT(verify({}, {"--strong"}).output, ::testing::Not(HasSubstr("interrupted")));
  EXPECT_TRUE(exits(verify({}, {"--recheck", "1"}), 2));
}

// The servers digest; what they find different is read, and named.
TEST(ServerSide, FindsWhatReadingFinds) {
  const Pair pair(std::string(kTwo) + "SELECT lo_from_bytea(7, 'x')",
                  std::string(kTwo) + "SELECT lo_from_bytea(7, 'x')");
  const auto equal = pair.compare({"--server-side"});
  EXPECT_EQ(equal.code(), 0) << equal.text();
  EXPECT_EQ(equal.report.at("hash"), "hashtextextended, twice");
  EXPECT_EQ(equal.table("public.a").at("source").at("bytes"), 0);
  EXPECT_EQ(equal.table("public.a").at("source").at("rows"), 2);
  EXPECT_EQ(equal.state("large objects"), "equal");
  pair.target.exec("UPDATE a SET v = 'z' WHERE id = 2; UPDATE b SET v = NULL");
  pair.source.exec("UPDATE b SET v = ''");
  const auto verdict = pair.compare({"--server-side"});
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.rows("public.a"), ElementsAre(R"(changed {"id":"2"} v)"));
  EXPECT_THAT(verdict.rows("public.b"), ElementsAre(R"(changed {"id":"1"} v)"));
  EXPECT_EQ(pair.compare({"--server-side", "--strong"}).code(), 2);
}

// A server whose points look like something else: nothing that the two would hash could be trusted.
TEST(ServerSide, IsRefusedWhereTheServersWriteAValueDifferently) {
  for (const bool at_source : {true, false}) {
    SCOPED_TRACE(at_source);
    const Pair pair(kTwo, kTwo);
    (at_source ? pair.source : pair.target)
        .exec("UPDATE pg_type SET typoutput = 'uuid_out'::regproc WHERE oid = 'point'::regtype");
    const auto verdict = pair.compare({"--server-side"});
    EXPECT_EQ(verdict.code(), 2) << verdict.text();
    EXPECT_THAT(verdict.process.error,
                HasSubstr("the two servers do not write or hash '(1.5,-2)'::point alike"));
    EXPECT_THAT(verdict.process.error, HasSubstr("compare without --server-side"));
    EXPECT_FALSE(verdict.report.contains("tables"));
    EXPECT_EQ(pair.compare().code(), 0);
  }
}

TEST(ServerSide, WhatCannotBeReadIsNotEqual) {
  const support::TestRole reader(target_server());
  const Pair pair(kTwo, kTwo);
  pair.target.exec(fmt::format("GRANT SELECT ON b TO {}", support::sql_identifier(reader.name())));
  const auto verdict = compare(pair.source.url(), pair.target.url(reader.name()), {"--server-side"});
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
}

TEST(Unchecked, ATableWhoseRowsItsServerFailsToGive) {
  const char* sql =
      "CREATE TABLE a (id int PRIMARY KEY, x text); INSERT INTO a VALUES (1, 'x');"
      "CREATE FUNCTION bad(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
      "CREATE TABLE b (id int PRIMARY KEY)";
  const Pair pair(sql, sql);
  const auto verdict = pair.compare({"--where", "public.a=public.bad(id) = 1"});
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.in_state("unchecked"), ElementsAre("public.a"));
  EXPECT_THAT(verdict.in_state("equal"), ElementsAre("public.b"));
}

TEST(Unchecked, PartitionsWithoutTheirTree) {
  const char* sql =
      "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE p (m mood) PARTITION BY HASH (m);"
      "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0)";
  const Pair pair(sql, sql);
  const auto verdict = pair.compare({"--include", "public.p0"});
  EXPECT_EQ(verdict.code(), 3) << verdict.text();
  EXPECT_THAT(verdict.remarks("unchecked"), ElementsAre(HasSubstr("partitions of public.p")));
}

TEST(Usage, WhatMakesNoSenseIsRefused) {
  const Pair pair;
  EXPECT_EQ(compare(pair.source.url(), pair.source.url()).code(), 2);
  EXPECT_EQ(compare("", pair.target.url()).code(), 2);
  EXPECT_EQ(pair.compare({"--where", "public.nothing=true"}).code(), 2);
  // A filter on the root of partitions that are compared one by one would be dropped.
  const char* sql = "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p0 PARTITION OF p DEFAULT";
  const Pair parts(sql, sql);
  EXPECT_EQ(parts.compare({"--where", "public.p=true"}).code(), 2);
  EXPECT_EQ(parts.compare({"--where", "public.p0=true"}).code(), 0);
  EXPECT_EQ(pair.compare({"--independent"}).code(), 2);
  EXPECT_EQ(pair.compare({"--run-dir", "/nonexistent"}).code(), 2);
}

TEST(Definitions, AreComparedAndMayBeWaived) {
  const Pair pair(kTwo,
                  std::string(kTwo) + "CREATE INDEX surplus ON a (v); ALTER TABLE b ALTER v SET DEFAULT 'x'");
  const auto verdict = pair.compare();
  EXPECT_EQ(verdict.code(), 1) << verdict.text();
  EXPECT_THAT(verdict.definitions(), ElementsAre("column public.b.v default", "index public.surplus"));
  EXPECT_THAT(verdict.process.output, HasSubstr("index public.surplus"));
  EXPECT_EQ(verdict.in_state("equal").size(), 2U);
  const Arguments waivers{"--waive", "index public.s*", "--waive", "column public.b.v default"};
  const auto waived = pair.compare(waivers);
  EXPECT_EQ(waived.code(), 5) << waived.text();
  EXPECT_EQ(waived.report.at("verdict"), "waived");
  EXPECT_EQ(waived.report.at("catalog").at("waived").size(), 2U);
  const auto catalog = pair.compare({"--level", "catalog"});
  EXPECT_EQ(catalog.code(), 1);
  EXPECT_THAT(catalog.report.at("tables"), IsEmpty());
  EXPECT_EQ(pair.compare({"--waive", "nothing"}).code(), 2);
}

TEST(Selection, WhatIsLeftOutIsNamed) {
  const Pair pair(kTwo, std::string(kTwo) + "DELETE FROM b");
  const auto verdict = pair.compare({"--exclude", "public.b"});
  EXPECT_EQ(verdict.code(), 0) << verdict.text();
  EXPECT_THAT(verdict.remarks("skipped"), Contains("table public.b: left out by --exclude"));
  EXPECT_THAT(verdict.report.at("catalog").at("excluded_objects"),
              Contains(json{{"kind", "column"}, {"object", "public.b.v"}}));
  EXPECT_EQ(pair.compare({"--include", "public.b"}).code(), 1);
  EXPECT_EQ(pair.compare({"--where", "public.b=false"}).code(), 0);
  EXPECT_EQ(pair.compare({"--level", "counts"}).code(), 1);
}

}  // namespace
}  // namespace verify::test
