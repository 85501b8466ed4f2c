// Tables of which more differs than memory holds at once: every row is named all the same, or it is said that
// not every one is.

#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "tests/verify/fixture.h"

namespace verify::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kRowsOfTable = 20'000;

std::string large_tables() {
  return fmt::format(R"(
    CREATE TABLE by_id (id bigint PRIMARY KEY, v text, w int);
    CREATE TABLE by_two (name text, n smallint, v numeric, PRIMARY KEY (n, name));
    CREATE TABLE no_key (id int, v text);
    CREATE TABLE one_row (v text);
    INSERT INTO by_id SELECT i, repeat('x', i % 50), i FROM generate_series(1, {0}) i;
    INSERT INTO by_two SELECT 'it''s \ ' || i, i % 7, i FROM generate_series(1, {0}) i;
    INSERT INTO no_key SELECT i, 'v' FROM generate_series(1, {0}) i;
    INSERT INTO one_row SELECT 'the same' FROM generate_series(1, {0});)",
                     kRowsOfTable);
}

// 2,000 rows of each but the last.
constexpr const char* kChanges = R"(
  UPDATE by_id SET w = -w WHERE id % 20 = 0;
  DELETE FROM by_id WHERE id % 40 = 1;
  INSERT INTO by_id SELECT -i, 'new', 0 FROM generate_series(1, 500) i;
  UPDATE by_two SET v = v + 0.5 WHERE v % 10 = 3;
  UPDATE no_key SET v = 'w' WHERE id % 10 = 3;
  INSERT INTO one_row VALUES ('the same'), ('another'))";

/// The lines of a file of differences, by table: "changed {"id":"20"}".
std::map<std::string, std::multiset<std::string>> rows_in(const std::filesystem::path& file) {
  std::map<std::string, std::multiset<std::string>> out;
  std::istringstream lines(copy::test::slurp(file));
  for (std::string line; std::getline(lines, line);) {
    const auto row = json::parse(line);
    out[row.at("table").get<std::string>()].insert(row.at("difference").get<std::string>() + " " +
                                                   row.at("key").dump());
  }
  return out;
}

std::multiset<std::string> expected_by_id() {
  std::multiset<std::string> out;
  const auto add = [&](const char* what, int id) {
    out.insert(fmt::format(R"({} {{"id":"{}"}})", what, id));
  };
  for (int id = 1; id <= kRowsOfTable; ++id) {
    if (id % 20 == 0) add("changed", id);
    if (id % 40 == 1) add("missing", id);
  }
  for (int id = 1; id <= 500; ++id) add("extra", -id);
  return out;
}

std::multiset<std::string> expected_by_two() {
  std::multiset<std::string> out;
  for (int i = 3; i <= kRowsOfTable; i += 10)
    out.insert(fmt::format(
        "changed {}", json{{"n", std::to_string(i % 7)}, {"name", fmt::format("it's \\ {}", i)}}.dump()));
  return out;
}

struct ManyDifferences : copy::test::Move, ::testing::Test {
  ManyDifferences() : Move(large_tables()) { EXPECT_TRUE(exits(copy(), 0)); }
  Arguments after_copy() const { return {"--run-dir", way.run_dir()}; }
  Verdict verify(const Arguments& mode, const Arguments& more) const {
    Arguments arguments{"--differences", directory / "rows"};
    arguments.insert(arguments.end(), mode.begin(), mode.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return compare(source.url(), target.url(), arguments);
  }
  static uint64_t passes(const Verdict& verdict, const std::string& table) {
    return verdict.table(table).at("rows").at("passes").get<uint64_t>();
  }

  support::TempDir directory;
};

TEST_F(ManyDifferences, AreAllNamedHoweverLittleMemoryThereIs) {
  target.exec(kChanges);
  for (const auto& mode : {Arguments{}, after_copy()})
    for (const auto* memory : {"256kB", "2MB", "64MB"}) {
      SCOPED_TRACE(::testing::PrintToString(mode) + memory);
      const auto verdict = verify(mode, {"--row-memory", memory});
      EXPECT_EQ(verdict.code(), 1) << verdict.text();
      const auto rows = rows_in(directory / "rows");
      EXPECT_EQ(rows.at("public.by_id"), expected_by_id());
      EXPECT_EQ(rows.at("public.by_two"), expected_by_two());
      EXPECT_EQ(rows.at("public.no_key").size(), 4000U);
      EXPECT_EQ(std::set(rows.at("public.no_key").begin(), rows.at("public.no_key").end()).size(), 4000U);
      EXPECT_EQ(verdict.table("public.no_key").at("rows").at("missing"), 2000);
      EXPECT_EQ(verdict.table("public.no_key").at("rows").at("extra"), 2000);
      // Rows that are all the same take no more memory than one.
      const auto same = verdict.table("public.one_row").at("rows");
      EXPECT_EQ(same.at("duplicated"), 1);
      EXPECT_EQ(same.at("extra"), 1);
      for (const auto& row : same.at("first"))
        EXPECT_EQ(row.at("target_copies"), row.at("difference") == "duplicated" ? kRowsOfTable + 1 : 1);
      for (const auto& table : verdict.report.at("tables")) {
        EXPECT_TRUE(table.at("rows").at("complete")) << table;
        EXPECT_EQ(table.at("rows").at("note"), "") << table;
      }
      EXPECT_THAT(verdict.process.output, Not(HasSubstr("maybe more")));
      // Everything at once; or one pass to sift the rows and one for what may differ; or some more.
      const std::map<std::string, uint64_t> most{{"64MB", 1}, {"2MB", 2}, {"256kB", 20}};
      for (const auto* table : {"public.by_id", "public.by_two"}) {
        EXPECT_LE(passes(verdict, table), most.at(memory)) << table;
        EXPECT_GE(passes(verdict, table), std::min(most.at(memory), uint64_t{4})) << table;
      }
    }
}

TEST_F(ManyDifferences, ATableThatDiffersInEveryRowIsNamedWhole) {
  target.exec("UPDATE by_id SET w = -w");
  const auto verdict = verify(after_copy(), {"--row-memory", "1MB"});
  EXPECT_EQ(verdict.table("public.by_id").at("rows").at("changed"), kRowsOfTable) << verdict.text();
  EXPECT_TRUE(verdict.table("public.by_id").at("rows").at("complete"));
  const auto rows = rows_in(directory / "rows").at("public.by_id");
  EXPECT_EQ(std::set(rows.begin(), rows.end()).size(), static_cast<size_t>(kRowsOfTable));
}

// Where somebody has set a bound, nothing looks as if it were all.
TEST_F(ManyDifferences, ABoundThatIsPassedIsSaid) {
  target.exec(kChanges);
  for (const auto& mode : {Arguments{}, after_copy()})
    for (const auto* memory : {"256kB", "64MB"}) {
      SCOPED_TRACE(::testing::PrintToString(mode) + memory);
      const auto verdict =
          verify(mode, {"--row-memory", memory, "--max-differences", "600", "--max-rows", "5"});
      EXPECT_EQ(verdict.code(), 1) << verdict.text();
      const auto found = verdict.table("public.by_two").at("rows");
      EXPECT_EQ(found.at("changed"), 600);
      EXPECT_FALSE(found.at("complete"));
      EXPECT_THAT(found.at("note"), HasSubstr("ended with 600, which --max-differences sets"));
      EXPECT_EQ(rows_in(directory / "rows").at("public.by_two").size(), 600U);
      EXPECT_THAT(verdict.process.output, HasSubstr("600 changed, and maybe more"));
      EXPECT_THAT(verdict.process.output, HasSubstr("and 595 more that were found, all of them in"));
      EXPECT_TRUE(verdict.table("public.one_row").at("rows").at("complete"));
    }
  // As many as there are is not too many.
  const auto all = verify({}, {"--max-differences", "2000"});
  EXPECT_TRUE(all.table("public.by_two").at("rows").at("complete")) << all.text();
}

// Statistics from before the table grew would leave it with a single digest.
TEST(Buckets, AreAsManyAsTheTableIsLarge) {
  const char* sql =
      "CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t SET (autovacuum_enabled = off);"
      "INSERT INTO t VALUES (0, ''); ANALYZE t;"
      "INSERT INTO t SELECT i, repeat('x', 50) FROM generate_series(1, 50000) i";
  const copy::test::Move move(sql);
  ASSERT_EQ(move.source.value("SELECT reltuples FROM pg_class WHERE relname = 't'"), "1");
  ASSERT_TRUE(exits(move.copy(), 0));
  const auto recorded = compare("", move.target.url(), {"--run-dir", move.way.run_dir()});
  EXPECT_GE(recorded.table("public.t").at("buckets"), 16);
  const auto both = compare(move.source.url(), move.target.url());
  EXPECT_GE(both.table("public.t").at("buckets"), 16);
}

}  // namespace
}  // namespace verify::test
