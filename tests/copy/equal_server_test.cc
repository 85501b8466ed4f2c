// Whole databases, between all versions that are supported: the program says equal, and so does an
// independent reckoning.

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
  EXPECT_GT(move.way.report().at("chunks"), 50);
  move.expect_equal_schema();
}

TEST(EqualCopy, AFinishedRunIsReportedAndNotRepeated) {
  const Move move("CREATE TABLE t AS SELECT 1 AS a");
  move.expect_equal_copy();
  move.source.exec("INSERT INTO t VALUES (2)");
  const auto again = move.copy();
  EXPECT_TRUE(exits(again, 0));
  EXPECT_THAT(again.output, AllOf(HasSubstr("equal when it was finished at 20"),
                                  HasSubstr("nothing was done now"), HasSubstr("cutover verify")));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "1");
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

// ------------------------------------------------------------------------------------------------ all types

/// What 15 does not have is left out.
std::string max_version(int major) { return std::to_string(std::min(major, 15) * 10000); }

const support::TestDatabase& all_types(int major) {
  static std::map<int, std::unique_ptr<support::TestDatabase>> sources;
  auto& source = sources[major];
  if (!source) {
    source = std::make_unique<support::TestDatabase>(source_server(major));
    source->psql_file(data_file("all_types.sql"), {{"max_version", max_version(major)}});
  }
  return *source;
}

class TypesToVersion : public ::testing::TestWithParam<int> {};

TEST_P(TypesToVersion, WithTheSchema) {
  const auto& source = all_types(15);
  const support::TestDatabase target(target_server(GetParam()));
  const Copy way(source.url(), target.url());
  ASSERT_TRUE(exits(way.copy(GetParam() == 15 ? kTinyChunks : Arguments{"--jobs", "2"}), 0));
  EXPECT_THAT(differences(target, source), ::testing::IsEmpty());
  if (GetParam() == 15) {
    EXPECT_THAT(schema_differences(target, source), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, TypesToVersion, ::testing::Values(15, 16, 17, 18));

class TypesFromVersion : public ::testing::TestWithParam<int> {};

TEST_P(TypesFromVersion, DataOnly) {
  const auto& source = all_types(GetParam());
  const support::TestDatabase target(target_server());
  target.psql_file(data_file("all_types.sql"),
                   {{"part", "schema"}, {"max_version", max_version(GetParam())}});
  const Copy way(source.url(), target.url());
  auto arguments = GetParam() % 2 == 0 ? kTinyChunks : Arguments{"--jobs", "1"};
  arguments.insert(arguments.end(), {"--schema", "none"});
  ASSERT_TRUE(exits(way.copy(arguments), 0));
  const auto expected = support::database_digest(source.url());
  auto found = support::database_digest(target.url());
  // A source without ICU has no tables with its collations.
  std::erase_if(found, [&](const auto& item) {
    return item.first.find("_icu") != std::string::npos && !expected.contains(item.first);
  });
  std::erase_if(found, [&](const auto& item) {
    return item.first.find("_no_case") != std::string::npos && !expected.contains(item.first);
  });
  EXPECT_THAT(differences(found, expected), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Versions, TypesFromVersion, ::testing::Values(12, 13, 14, 15, 16, 17, 18));

}  // namespace
}  // namespace copy::test
