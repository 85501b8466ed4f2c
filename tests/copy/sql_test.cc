#include "copy/sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace copy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Relation table() {
  Relation relation;
  relation.name = {"Shop", "two\nlines"};
  relation.columns = {"id", "a \"b\""};
  relation.shape.format = pg::CopyFormat::binary;
  return relation;
}

Relation split() {
  auto relation = table();
  relation.chunk_blocks = 10;
  relation.chunks = 3;
  return relation;
}

TEST(CopyOut, OneChunkIsThePlainTable) {
  EXPECT_EQ(copy_out_sql(table(), 0),
            "COPY \"Shop\".\"two\nlines\" (\"id\", \"a \"\"b\"\"\") TO STDOUT WITH (FORMAT binary)");
  auto text = table();
  text.shape.format = pg::CopyFormat::text;
  EXPECT_EQ(copy_out_sql(text, 0), "COPY \"Shop\".\"two\nlines\" (\"id\", \"a \"\"b\"\"\") TO STDOUT");
}

TEST(CopyOut, ChunksAreHalfOpenAndTheLastHasNoEnd) {
  EXPECT_THAT(copy_out_sql(split(), 0),
              HasSubstr("FROM ONLY \"Shop\".\"two\nlines\" WHERE ctid < '(10,0)'::pg_catalog.tid)"));
  EXPECT_THAT(copy_out_sql(split(), 1),
              HasSubstr("WHERE ctid >= '(10,0)'::pg_catalog.tid AND ctid < '(20,0)'::pg_catalog.tid)"));
  EXPECT_THAT(copy_out_sql(split(), 2), HasSubstr("WHERE ctid >= '(20,0)'::pg_catalog.tid) TO"));
  EXPECT_THAT(copy_out_sql(split(), 2), Not(HasSubstr("ctid <")));
}

TEST(CopyOut, BlockNumbersPast32BitsOfProductStayExact) {
  auto huge = table();
  huge.chunk_blocks = 4'000'000;
  huge.chunks = 2'000;
  EXPECT_THAT(copy_out_sql(huge, 1'999), HasSubstr("'(7996000000,0)'"));
}

TEST(CopyOut, AConditionIsOneOperandOfTheChunks) {
  auto filtered = split();
  filtered.condition = "a OR b";
  EXPECT_THAT(copy_out_sql(filtered, 1), HasSubstr("AND ctid < '(20,0)'::pg_catalog.tid AND (a OR b))"));
  filtered.chunk_blocks = 0;
  filtered.chunks = 1;
  EXPECT_THAT(copy_out_sql(filtered, 0), HasSubstr("WHERE a OR b)"));
}

TEST(CopyOut, ATableWithoutColumnsHasNoList) {
  auto none = table();
  none.columns = {};
  EXPECT_EQ(copy_out_sql(none, 0), "COPY \"Shop\".\"two\nlines\"  TO STDOUT WITH (FORMAT binary)");
  EXPECT_EQ(copy_in_sql(none, false), "COPY \"Shop\".\"two\nlines\"  FROM STDIN WITH (FORMAT binary)");
}

TEST(CopyIn, FreezeIsAnOption) {
  EXPECT_THAT(copy_in_sql(table(), true), HasSubstr("FROM STDIN WITH (FORMAT binary, FREEZE)"));
  auto text = table();
  text.shape.format = pg::CopyFormat::text;
  EXPECT_THAT(copy_in_sql(text, true), HasSubstr("FROM STDIN WITH (FREEZE)"));
  EXPECT_THAT(copy_in_sql(text, false), Not(HasSubstr("WITH")));
}

TEST(CopyIn, ALeafMayEnterAtItsRoot) {
  auto leaf = table();
  leaf.above = {{"Shop", "middle"}, {"Shop", "root"}};
  leaf.root = 2;
  EXPECT_THAT(copy_in_sql(leaf, false), HasSubstr("COPY \"Shop\".\"root\" ("));
  EXPECT_THAT(copy_out_sql(leaf, 0), HasSubstr("COPY \"Shop\".\"two\nlines\""));
  // The whole tree is read back.
  EXPECT_THAT(read_back_sql(leaf, {}), HasSubstr("FROM \"Shop\".\"root\")"));
  EXPECT_THAT(read_back_sql(leaf, {}), Not(HasSubstr("ONLY")));
}

TEST(ReadBack, SlicesHaveTheConditionToo) {
  auto filtered = table();
  filtered.condition = "a OR b";
  EXPECT_THAT(
      read_back_sql(filtered, {5, 9}),
      HasSubstr("WHERE ctid >= '(5,0)'::pg_catalog.tid AND ctid < '(9,0)'::pg_catalog.tid AND (a OR b))"));
  EXPECT_THAT(read_back_sql(filtered, {0, 9}),
              HasSubstr("WHERE ctid < '(9,0)'::pg_catalog.tid AND (a OR b))"));
}

TEST(LargeObjects, ChunksAreRangesOfOids) {
  Relation objects;
  objects.kind = Relation::Kind::large_objects;
  objects.large_object_bounds = {0, 500};
  objects.chunks = 2;
  EXPECT_THAT(copy_out_sql(objects, 0), HasSubstr("oid >= 0 AND oid < 500"));
  EXPECT_THAT(copy_out_sql(objects, 1), HasSubstr("oid >= 500 ORDER BY"));
  EXPECT_EQ(read_back_large_objects_sql(objects, 1), copy_out_sql(objects, 1));
  EXPECT_EQ(describe_chunk(objects, 1), "oids from 500");
}

TEST(DescribeChunk, SaysItsBlocks) {
  EXPECT_EQ(describe_chunk(table(), 0), "all");
  EXPECT_EQ(describe_chunk(split(), 0), "blocks 0-9");
  EXPECT_EQ(describe_chunk(split(), 1), "blocks 10-19");
  EXPECT_EQ(describe_chunk(split(), 2), "blocks from 20");
}

TEST(AssertEmpty, ItsQuotingSurvivesANameWithTheTag) {
  auto odd = table();
  odd.name.name = "$cutover$; $cutover_$";
  const auto sql = assert_empty_sql(odd);
  const auto tag = sql.substr(3, sql.find('$', 4) - 2);
  EXPECT_EQ(tag, "$cutover__$");
  EXPECT_THAT(sql, ::testing::EndsWith(tag));
  EXPECT_EQ(sql.find(tag, 4), sql.size() - tag.size());
}

}  // namespace
}  // namespace copy
