#include "copy/plan.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/base/matchers.h"
#include "tests/base/text_sink.h"
#include "tests/base/trickle.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Relation table(std::string schema, std::string name) {
  Relation relation;
  relation.oid = 16400;
  relation.name = {std::move(schema), std::move(name)};
  relation.columns = {"id", "two\nlines", "日本"};
  relation.types = {"bigint", "character varying(80)", "text[]"};
  relation.shape = {pg::CopyFormat::text, 3, {0}, 64};
  relation.filenode = 1ULL << 31;
  relation.bytes = 1ULL << 45;
  relation.row_estimate = -1;
  relation.chunk_blocks = 16384;
  relation.chunks = 4;
  return relation;
}

Plan full_plan() {
  Plan plan;
  plan.source_version = "15.18 (Debian)";
  plan.source_major = 15;
  plan.database = {
      "app", "UTF8", "C.UTF-8", "a \"comment\"", {{"", "work_mem=7MB"}, {"app", "search_path=\"\""}}};
  plan.schema = SchemaMode::none;
  plan.relations = {table("public", "orders"), table("a \"b\"", "c.d\n")};
  plan.relations[1].above = {{"public", "middle"}, {"public", "root"}};
  plan.relations[1].root = 2;
  plan.relations[1].condition = "x > '\\'";
  Relation objects;
  objects.kind = Relation::Kind::large_objects;
  objects.large_object_bounds = {0, 5, 4294967295};
  objects.chunks = 3;
  plan.relations.push_back(objects);
  pg::Index index;
  index.oid = 1;
  index.table = 16400;
  index.bytes = 99;
  index.constraint = 2;
  index.constraint_type = 'p';
  index.words({{"public", "orders_pkey"}, "btree", "CREATE UNIQUE INDEX …", " DEFERRABLE"});
  plan.indexes = {index};
  plan.foreign_keys = {{3,
                        {"public", "a"},
                        "fk",
                        {"public", "b"},
                        false,
                        true,
                        "FOREIGN KEY …",
                        {"x", "y"},
                        {"p", "q"},
                        {"OPERATOR(pg_catalog.=)", "OPERATOR(public.=)"},
                        true,
                        false,
                        true}};
  plan.sequences = {{4, {"public", "s"}}};
  plan.extensions = {{"hstore", "1.8", "public"}};
  plan.materialized_views = {{"public", "m"}};
  plan.unpopulated_views = {{"public", "u"}};
  plan.excluded_tables = {{"public", "x"}};
  plan.excluded_schemas = {"audit"};
  plan.roles = {{"app", true, false, true}};
  plan.foreign_tables = {{"public", "f"}};
  plan.partitioned_tables = {{"public", "root"}};
  plan.findings = {{Severity::skipped, "schema cron", "it belongs to the provider", "--include cron"}};
  return plan;
}

std::string stored(const Plan& plan) {
  base::test::TextSink sink;
  plan.write(sink);
  return sink.text;
}

Plan read(std::string text) {
  base::test::Trickle source(std::move(text));
  return Plan::read(source);
}

TEST(PlanJson, RoundTrips) {
  const auto text = stored(full_plan());
  const auto plan = read(text);
  EXPECT_EQ(stored(plan), text);
  EXPECT_EQ(plan.schema, SchemaMode::none);
  EXPECT_EQ(plan.relations[0].shape.format, pg::CopyFormat::text);
  EXPECT_EQ(plan.relations[0].bytes, 1ULL << 45);
  EXPECT_EQ(plan.relations[0].row_estimate, -1);
  EXPECT_EQ(plan.relations[1].name.name, "c.d\n");
  EXPECT_TRUE(plan.relations[1].via_root());
  EXPECT_EQ(plan.relations[1].load_into().name, "root");
  EXPECT_EQ(plan.relations[0].load_into(), plan.relations[0].name);
  EXPECT_THAT(plan.relations[0].columns.list(), ElementsAre("id", "two\nlines", "日本"));
  EXPECT_THAT(plan.relations[1].above, SizeIs(2));
  EXPECT_EQ(plan.relations[2].kind, Relation::Kind::large_objects);
  EXPECT_THAT(plan.relations[2].large_object_bounds, ElementsAre(0, 5, 4294967295));
  EXPECT_EQ(plan.indexes[0].constraint_type, 'p');
  EXPECT_EQ(plan.indexes[0].table, 16400U);
  EXPECT_EQ(plan.indexes[0].words().name.display(), "public.orders_pkey");
  EXPECT_EQ(plan.indexes[0].words().definition, "CREATE UNIQUE INDEX …");
  EXPECT_EQ(plan.indexes[0].words().constraint_options, " DEFERRABLE");
  EXPECT_TRUE(plan.foreign_keys[0].match_full);
  EXPECT_EQ(plan.findings[0].severity, Severity::skipped);
  EXPECT_EQ(plan.database.settings[1].setting, "search_path=\"\"");
}

TEST(PlanJson, OfAnotherVersionIsRefused) {
  EXPECT_THAT([] { read("{\"version\":1}\n"); }, throws(ErrorKind::usage, HasSubstr("another version")));
  EXPECT_THAT([] { read("{\"version\":1,\"relations\":[]}"); },
              throws(ErrorKind::usage, HasSubstr("another version")))
      << "all in one line, without an end";
}

TEST(PlanJson, WhatLacksAFieldIsCorrupt) {
  const auto text = stored(full_plan());
  const auto first_line = text.find('\n') + 1;
  const auto facts = nlohmann::json::parse(text.substr(0, first_line));
  for (const auto& [key, value] : facts.items()) {
    auto without = facts;
    without.erase(key);
    EXPECT_THAT([&] { read(without.dump() + "\n" + text.substr(first_line)); }, throws(ErrorKind::corrupt))
        << key;
  }
  for (const auto& [key, value] : facts.at("counts").items()) {
    auto other = facts;
    other["counts"].erase(key);
    EXPECT_THAT([&] { read(other.dump() + "\n" + text.substr(first_line)); }, throws(ErrorKind::corrupt))
        << key;
    other["counts"][key] = value.get<size_t>() + 1;
    EXPECT_THAT([&] { read(other.dump() + "\n" + text.substr(first_line)); }, throws(ErrorKind::corrupt))
        << key;
  }
}

TEST(PlanJson, WhatIsNotWholeIsCorrupt) {
  const auto text = stored(full_plan());
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_THAT([&] { read(text.substr(0, size)); }, throws(ErrorKind::corrupt)) << size;
  EXPECT_THAT([&] { read(text + "{}\n"); }, throws(ErrorKind::corrupt));
  EXPECT_THAT([] { read("[1]\n"); }, throws(ErrorKind::corrupt));
}

TEST(Plan, TotalsCountEveryRelation) {
  EXPECT_EQ(full_plan().total_bytes(), 2ULL << 45);
  EXPECT_EQ(full_plan().total_chunks(), 11U);
}

TEST(Plan, ChunksAreTheWholeOfARelation) {
  full_plan().require_whole_relations();
  const auto refused = [](const auto& change) {
    auto plan = full_plan();
    change(plan);
    EXPECT_THAT([&] { plan.require_whole_relations(); }, throws(ErrorKind::corrupt));
    EXPECT_THAT([&] { read(stored(plan)); }, throws(ErrorKind::corrupt));
  };
  refused([](Plan& plan) { plan.relations[0].chunks = 0; });
  refused([](Plan& plan) { plan.relations[0].chunk_blocks = 0; });
  refused([](Plan& plan) { plan.relations[0].chunk_blocks = 1ULL << 63; });
  refused([](Plan& plan) { plan.relations[2].large_object_bounds = {1, 5, 6}; });
  refused([](Plan& plan) { plan.relations[2].large_object_bounds = {0, 5}; });
  refused([](Plan& plan) { plan.relations[2].large_object_bounds = {0, 5, 5}; });
}

// What is checked is what the chunks read.
TEST(Plan, AChunkBeginsWhereTheOneBeforeItEnds) {
  auto relation = table("public", "orders");
  for (const uint64_t blocks : {uint64_t{1}, uint64_t{7}, uint64_t{16384}}) {
    relation.chunk_blocks = blocks;
    for (relation.chunks = 2; relation.chunks < 5; ++relation.chunks) {
      EXPECT_TRUE(relation.is_whole());
      for (uint32_t chunk = 0; chunk < relation.chunks; ++chunk) {
        EXPECT_EQ(relation.blocks(chunk).first, chunk * blocks);
        EXPECT_EQ(relation.blocks(chunk).last, chunk + 1 < relation.chunks ? (chunk + 1) * blocks : 0);
      }
    }
  }
}

TEST(ShapeChanges, NoneForTheSamePlan) {
  auto fresh = full_plan();
  fresh.relations[0].bytes = 1;
  fresh.relations[0].chunks = 1;
  fresh.relations[0].filenode = 7;
  EXPECT_THAT(shape_changes(full_plan(), fresh), IsEmpty());
}

TEST(ShapeChanges, NameEachTable) {
  auto fresh = full_plan();
  fresh.relations[0].columns = {"key", "two\nlines", "日本"};
  fresh.relations[1].condition.clear();
  fresh.relations.push_back(table("public", "more"));
  EXPECT_THAT(shape_changes(full_plan(), fresh),
              ElementsAre("table public.orders has other columns", HasSubstr("has another row filter"),
                          "table public.more is new"));
  EXPECT_THAT(shape_changes(fresh, full_plan()), SizeIs(3));
  EXPECT_THAT(shape_changes(fresh, full_plan(), 1), SizeIs(1));
}

TEST(ShapeChanges, SeeTypesToo) {
  auto fresh = full_plan();
  fresh.relations[0].types = {"integer", "character varying(80)", "text[]"};
  EXPECT_THAT(shape_changes(full_plan(), fresh), ElementsAre("table public.orders has other columns"));
}

TEST(VendorObjects, AreKnownByName) {
  EXPECT_TRUE(is_vendor_role("rds_superuser"));
  EXPECT_FALSE(is_vendor_role("rds_app"));
  EXPECT_FALSE(is_vendor_role("supabase_app"));
  EXPECT_TRUE(is_vendor_role("pg_read_all_data"));
  EXPECT_TRUE(is_vendor_role("neon_superuser"));
  EXPECT_FALSE(is_vendor_role("rdsuser"));
  EXPECT_FALSE(is_vendor_role("neondb_owner"));
  EXPECT_FALSE(is_vendor_role("postgres"));
  EXPECT_TRUE(is_vendor_extension("neon"));
  EXPECT_FALSE(is_vendor_extension("hstore"));
}

TEST(IndexCost, GrowsWithSizeAndMethod) {
  pg::Index index;
  index.words({.method = "btree"});
  index.bytes = 1000;
  const auto btree = index_build_cost(index);
  index.words({.method = "gin"});
  EXPECT_GT(index_build_cost(index), btree);
  index.words({.method = "brin"});
  EXPECT_LT(index_build_cost(index), btree);
}

}  // namespace
}  // namespace copy
