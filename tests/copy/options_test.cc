#include "copy/options.h"

#include <gtest/gtest.h>

#include "pg/block_range.h"

namespace copy {
namespace {

bool selects(const std::string& pattern, std::string_view schema, std::string_view table) {
  return matches_any({pattern}, schema, table);
}

TEST(MatchesAny, PatternWithoutDotSelectsASchema) {
  EXPECT_TRUE(selects("audit", "audit", "log"));
  EXPECT_FALSE(selects("audit", "public", "audit"));
  EXPECT_TRUE(selects("tenant_*", "tenant_7", "orders"));
  EXPECT_TRUE(selects("*", "any", "thing"));
}

TEST(MatchesAny, PatternWithDotSelectsTables) {
  EXPECT_TRUE(selects("public.orders", "public", "orders"));
  EXPECT_FALSE(selects("public.orders", "public", "orders_old"));
  EXPECT_FALSE(selects("public.orders", "shop", "orders"));
  EXPECT_TRUE(selects("*.log_*", "shop", "log_2024"));
  EXPECT_TRUE(selects("tenant_?.*", "tenant_7", "x"));
}

TEST(MatchesAny, EmptyTableAsksAboutTheSchemaItself) {
  EXPECT_TRUE(selects("audit", "audit", ""));
  EXPECT_FALSE(selects("audit.*", "audit", ""));
  EXPECT_FALSE(selects("audit.\"\"", "audit", ""));
}

TEST(MatchesAny, QuotedPartsMayHoldDotsAndAreLiteral) {
  EXPECT_TRUE(selects(R"("a.b"."c")", "a.b", "c"));
  EXPECT_TRUE(selects(R"("a.b")", "a.b", "anything"));
  EXPECT_TRUE(selects(R"("a.b".c*)", "a.b", "cd"));
  EXPECT_TRUE(selects(R"(a*."c.d")", "ab", "c.d"));
  EXPECT_FALSE(selects(R"("a*".c)", "ab", "c"));
  EXPECT_TRUE(selects(R"("a*".c)", "a*", "c"));
  EXPECT_FALSE(selects(R"(s."c*")", "s", "cd"));
  EXPECT_TRUE(selects(R"("Ville & ""Pays""".x)", "Ville & \"Pays\"", "x"));
}

TEST(MatchesAny, AQuoteThatClosesNothingIsItself) {
  EXPECT_TRUE(selects(R"("a.b)", "\"a", "b"));
  EXPECT_TRUE(selects(R"(s."b)", "s", "\"b"));
  EXPECT_TRUE(selects(R"(s."b"c)", "s", "\"b\"c"));
}

TEST(MatchesAny, OnlyTheFirstDotSeparates) { EXPECT_TRUE(selects("s.a.b", "s", "a.b")); }

TEST(MatchesAny, AnyPatternIsEnoughAndNoneSelectsNothing) {
  EXPECT_TRUE(matches_any({"audit", "public.orders"}, "public", "orders"));
  EXPECT_FALSE(matches_any({}, "public", "orders"));
}

TEST(ReasonToSkip, APartitionGoesWithTheTablesAboveIt) {
  const std::vector<pg::QualifiedName> leaf{{"parts", "orders_2024"}, {"public", "orders"}};
  Options options;
  EXPECT_EQ(reason_to_skip(options, leaf), std::nullopt);
  options.include = {"public.orders"};
  EXPECT_EQ(reason_to_skip(options, leaf), std::nullopt);
  options.exclude = {"parts.orders_20*"};
  EXPECT_EQ(reason_to_skip(options, leaf), "left out by --exclude");
  options = {};
  options.exclude = {"public.orders"};
  EXPECT_EQ(reason_to_skip(options, leaf), "left out by --exclude");
  options = {};
  options.include = {"parts.orders_2024"};
  EXPECT_EQ(reason_to_skip(options, leaf), std::nullopt);
  EXPECT_EQ(reason_to_skip(options, std::vector<pg::QualifiedName>{{"public", "orders"}}),
            "not selected by --include");
}

TEST(NamedSchemas, AreThoseThatAPatternNamesInFull) {
  Options options;
  for (const auto* pattern : {"*", "cr*", "*.job", "public"}) {
    options.include = {pattern};
    EXPECT_FALSE(named_schemas(options).contains("cron")) << pattern;
  }
  for (const auto* pattern : {"cron", "cron.job", "cron.*", "\"cron\"", "\"cron\".job"}) {
    options.include = {"public", pattern};
    EXPECT_TRUE(named_schemas(options).contains("cron")) << pattern;
  }
}

TEST(SplitRule, ATableIsSplitWhenItWouldBoundTheRun) {
  constexpr uint64_t kMegabyte = 1 << 20;
  Options options;
  options.jobs = 2;
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1200 * kMegabyte).above, 750 * kMegabyte);
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1200 * kMegabyte).chunk, 375 * kMegabyte);
  options.jobs = 4;
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1200 * kMegabyte).above, 375 * kMegabyte);
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 0).above, 128 * kMegabyte);
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 0).chunk, 128 * kMegabyte);
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1ULL << 40).above, 1ULL << 30);
  options.split_size = 8192;
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1ULL << 40).above, 8192U);
  EXPECT_EQ(pg::split_rule(options.split_size, options.jobs, 1ULL << 40).chunk, 8192U);
}

}  // namespace
}  // namespace copy
