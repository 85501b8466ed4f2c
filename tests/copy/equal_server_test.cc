// Whole databases, between all versions that are supported: the program says equal, and so does an
// independent reckoning.

#include <array>
#include <tuple>

#include <fmt/format.h>

#include "tests/copy/fixture.h"
#include "tests/copy/sample.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(EqualCopy, Shop) {
  const Move move(kShop);
  const auto result = move.copy({"--jobs", "1"});
  ASSERT_TRUE(exits(result, 0));
  EXPECT_THAT(result.output, HasSubstr("EQUAL"));
  move.expect_equal();
  move.expect_equal_schema();
  const auto report = move.way.report();
  EXPECT_EQ(report.at("relations"), 4);
  EXPECT_EQ(report.at("proven"), 4);
  EXPECT_EQ(report.at("rows"), 200 + 300 + 3000 + 9000);
  EXPECT_LE(report.at("copy_cpu_seconds"), report.at("copy_seconds")) << "one thread moves the chunks";
  // Loaded frozen: nobody has to look at the rows' transactions again, nor to vacuum for that.
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND "
                              "relkind = 'r' AND relpages > 0 AND relallvisible = relpages"),
            "4");
  // New rows get new keys.
  EXPECT_EQ(move.target.value("INSERT INTO shop.purchase (customer) VALUES (1) RETURNING id"), "3001");
}

TEST(EqualCopy, ShopInTinyChunks) {
  const Move move(kShop);
  move.expect_equal_copy(kTinyChunks);
  const auto report = move.way.report();
  EXPECT_GT(report.at("chunks"), 50);
  EXPECT_GT(report.at("copy_cpu_seconds"), 0);
  move.expect_equal_schema();
}

TEST(EqualCopy, AFinishedRunIsReportedAndNotRepeated) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  move.expect_equal_copy();
  const auto report = move.way.report();
  move.source.exec("INSERT INTO t VALUES (2)");
  const auto again = move.copy();
  EXPECT_TRUE(exits(again, 0));
  EXPECT_THAT(again.output, AllOf(HasSubstr("equal when it was finished at 20"),
                                  HasSubstr("nothing was done now"), HasSubstr("cutover verify")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(move.way.report(), report) << "it tells of the copy: when it was, and how long it took";
  EXPECT_TRUE(exits(move.copy({"--exclude", "t"}), 2));
  EXPECT_EQ(move.way.report(), report) << "what was refused has not looked at what was copied";
}

// What a finished run has copied is not there any more: no success is said of that.
class FinishedRun : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(FinishedRun, IsNoSuccessOverATargetThatLacksItsTraces) {
  const auto& [loss, said] = GetParam();
  const Move move("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE u AS SELECT 1 AS a");
  move.expect_equal_copy();
  move.target.exec(loss);
  const auto again = move.copy();
  EXPECT_TRUE(exits(again, 3));
  EXPECT_THAT(again.error, AllOf(HasSubstr("does not have what the finished run in"), HasSubstr(said),
                                 HasSubstr("--restart")));
  EXPECT_EQ(move.way.report().at("verdict"), "failed") << "what the earlier report says holds no more";
  move.expect_equal_copy({"--restart", "--yes"});
}

INSTANTIATE_TEST_SUITE_P(
    Losses, FinishedRun,
    ::testing::Values(std::pair{"DROP SCHEMA cutover CASCADE; DROP TABLE t, u",
                                "its ledger (schema cutover)"},
                      std::pair{"DELETE FROM cutover.run; DROP TABLE t, u", "its ledger (schema cutover)"},
                      std::pair{"UPDATE cutover.run SET finished_at = NULL", "its ledger (schema cutover)"},
                      std::pair{"DELETE FROM cutover.chunk WHERE name = 'public.t'", "a part of its ledger"},
                      std::pair{"DROP TABLE t", "table public.t"}));

TEST(EqualCopy, AnEmptyDatabase) {
  const Move move;
  move.expect_equal_copy();
}

// ---------------------------------------------------------------------------------------------------- atlas

const support::TestDatabase& atlas() {
  static const support::TestDatabase source(source_server());
  static const bool loaded = [] {
    source.psql_file(data_file("atlas.sql"));
    return true;
  }();
  static_cast<void>(loaded);
  return source;
}

const std::map<std::string, std::string>& atlas_digest() {
  static const auto digest = support::database_digest(atlas().url());
  return digest;
}

class AtlasCopy : public ::testing::TestWithParam<std::pair<int, Arguments>> {};

TEST_P(AtlasCopy, IsEqual) {
  const auto& [major, arguments] = GetParam();
  auto& server = target_server(major);
  server.psql_file("postgres", data_file("atlas_roles.sql"));
  const support::TestDatabase target(server);
  const Copy way(atlas().url(), target.url());
  ASSERT_TRUE(exits(way.copy(arguments), 0));
  EXPECT_THAT(differences(support::database_digest(target.url()), atlas_digest()), ::testing::IsEmpty());
  if (major == 15) {
    EXPECT_THAT(schema_differences(target, atlas()), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, AtlasCopy,
                         ::testing::Values(std::pair{15, Arguments{"--jobs", "1"}},
                                           std::pair{15, Arguments{"--jobs", "4", "--split-size", "256kB"}},
                                           std::pair{16, Arguments{"--jobs", "4", "--split-size", "2MB"}},
                                           std::pair{17, Arguments{"--jobs", "2"}},
                                           std::pair{18, Arguments{"--jobs", "2", "--split-size", "1MB"}}),
                         [](const auto& test) {
                           return fmt::format("To{}_{}", test.param.first, test.index);
                         });

// --------------------------------------------------------------------- databases that every version can have

enum class Part { both, schema };

/// What every version can load.
struct Sample {
  const char* name;
  const char* split_size;  ///< many chunks, but not thousands
  /// Leaves out what a server of version `max_major` does not have.
  void (*load)(const support::TestDatabase& database, Part part, int max_major);
  friend void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }
};

std::string name_of(Part part) { return part == Part::both ? "both" : "schema"; }

void load_all_types(const support::TestDatabase& database, Part part, int max_major) {
  database.psql_file(data_file("all_types.sql"),
                     {{"part", name_of(part)}, {"max_version", std::to_string(max_major * 10000)}});
}

void load_chinook(const support::TestDatabase& database, Part part, int /*max_major*/) {
  database.psql_file(data_file("chinook.sql"), {{"part", name_of(part)}});
}

/// The database of the benchmarks, as small as pgbench makes it. At scale 0 it has no rows.
void load_benchmark(const support::TestDatabase& database, Part part, int /*max_major*/) {
  const bool rows = part == Part::both;
  support::run_or_throw(support::server_programs(15) / "pgbench",
                        {"-i", "-q", "-I", rows ? "dtgp" : "dtp", database.url()});
  database.psql_file(support::source_file("bench/app.sql"), {{"scale", rows ? "1" : "0"}});
}

const std::array kSamples{Sample{"AllTypes", "8kB", load_all_types}, Sample{"Chinook", "8kB", load_chinook},
                          Sample{"Benchmark", "1MB", load_benchmark}};

/// Its rows on a server of that version, loaded once. What 15 does not have is left out.
const support::TestDatabase& loaded(const Sample& sample, int major) {
  static std::map<std::pair<std::string, int>, std::unique_ptr<support::TestDatabase>> sources;
  auto& source = sources[{sample.name, major}];
  if (!source) {
    source = std::make_unique<support::TestDatabase>(source_server(major));
    sample.load(*source, Part::both, std::min(major, 15));
  }
  return *source;
}

using SampleAndVersion = std::tuple<Sample, int>;

std::string test_name(const ::testing::TestParamInfo<SampleAndVersion>& test) {
  return fmt::format("{}_{}", std::get<Sample>(test.param).name, std::get<int>(test.param));
}

class ToVersion : public ::testing::TestWithParam<SampleAndVersion> {};

TEST_P(ToVersion, WithTheSchema) {
  const auto& [sample, major] = GetParam();
  const auto& source = loaded(sample, 15);
  const support::TestDatabase target(target_server(major));
  const Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy(major == 15 ? Arguments{"--split-size", sample.split_size, "--jobs", "4"}
                                         : Arguments{"--jobs", "2"}),
                    0));
  EXPECT_THAT(differences(target, source), ::testing::IsEmpty());
  if (major == 15) {
    EXPECT_THAT(schema_differences(target, source), ::testing::IsEmpty());
  }
  // Of newer servers there is no pg_dump here: the definitions are compared by the program.
  EXPECT_TRUE(exits(way.run("verify"), 0));
}

INSTANTIATE_TEST_SUITE_P(Samples, ToVersion,
                         ::testing::Combine(::testing::ValuesIn(kSamples), ::testing::Values(15, 16, 17, 18)),
                         test_name);

class FromVersion : public ::testing::TestWithParam<SampleAndVersion> {};

TEST_P(FromVersion, DataOnly) {
  const auto& [sample, major] = GetParam();
  const auto& source = loaded(sample, major);
  const support::TestDatabase target(target_server());
  sample.load(target, Part::schema, std::min(major, 15));
  const Copy way(source.url(), target.url());
  auto arguments =
      major % 2 == 0 ? Arguments{"--split-size", sample.split_size, "--jobs", "4"} : Arguments{"--jobs", "1"};
  arguments.insert(arguments.end(), {"--schema", "none"});
  ASSERT_TRUE(exits(way.copy(arguments), 0));
  const auto expected = support::database_digest(source.url());
  auto found = support::database_digest(target.url());
  // A source without ICU has no tables with its collations.
  std::erase_if(found, [&](const auto& item) {
    const auto& name = item.first;
    return (name.find("_icu") != std::string::npos || name.find("_no_case") != std::string::npos) &&
           !expected.contains(name);
  });
  EXPECT_THAT(differences(found, expected), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Samples, FromVersion,
                         ::testing::Combine(::testing::ValuesIn(kSamples),
                                            ::testing::Values(12, 13, 14, 15, 16, 17, 18)),
                         test_name);

}  // namespace
}  // namespace copy::test
