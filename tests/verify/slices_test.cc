// What is read in pieces is read whole, and nothing of it twice: whatever the sizes, the pieces of a table
// tile its blocks.

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/unit.h"

namespace verify {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::SizeIs;

/// Do they follow each other from block 0 on, the last one without an end, and none of them empty?
::testing::AssertionResult tile(const std::vector<Slice>& slices) {
  if (slices.empty()) return ::testing::AssertionFailure() << "there is none";
  uint64_t next = 0;
  for (size_t i = 0; i < slices.size(); ++i) {
    const auto& [first, last] = slices[i].blocks;
    const bool is_last = i + 1 == slices.size();
    if (first != next || (is_last ? last != 0 : last <= first))
      return ::testing::AssertionFailure() << "slice " << i << " of " << slices.size() << " is [" << first
                                           << ", " << last << "), and should begin at " << next;
    next = last;
  }
  return ::testing::AssertionSuccess();
}

Part part(uint64_t blocks, uint64_t bytes) {
  Part out;
  out.name = {"public", "t"};
  out.oid = 16400;
  out.bytes = bytes;
  out.blocks = blocks;
  return out;
}

std::vector<Slice> slices(const std::vector<Part>& parts, const pg::SplitRule& rule, int major = 15) {
  Unit unit;
  unit.parts[index(Role::target)] = parts;
  return slices_of(unit, 7, Role::target, major, rule);
}

TEST(Slices, TileTheirTableWhateverItsSize) {
  std::mt19937_64 random(20240229);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same ones each time
  const auto up_to_bits = [&](int bits) {
    return random() >> (64 - std::uniform_int_distribution(1, bits)(random));
  };
  for (int i = 0; i < 5'000; ++i) {
    // Up to 2^32 blocks, of more or fewer bytes than these are: TOAST counts, and the two are read one after
    // the other.
    const auto blocks = up_to_bits(32);
    const auto bytes = up_to_bits(50);
    // A rule that would make more slices than a test has time for says nothing new.
    const pg::SplitRule rule{up_to_bits(45), std::max(up_to_bits(45), bytes / 500 + 1)};
    EXPECT_TRUE(tile(slices({part(blocks, bytes)}, rule)))
        << blocks << " blocks of " << bytes << " bytes, cut above " << rule.above << " into " << rule.chunk;
  }
}

TEST(Slices, OfOneBlockOrLessThanABlockEach) {
  EXPECT_THAT(slices({part(0, 0)}, {0, 1}), SizeIs(1));
  EXPECT_THAT(slices({part(1, 8192)}, {0, 1}), SizeIs(1));
  EXPECT_THAT(slices({part(5, 40'960)}, {0, 1}), SizeIs(5));
  EXPECT_TRUE(tile(slices({part(5, 40'960)}, {0, 1})));
  // A rule that would divide by nothing.
  EXPECT_TRUE(tile(slices({part(5, 0)}, {0, 0})));
}

TEST(Slices, ServersWithoutRangesOfTidsReadTablesWhole) {
  const auto whole = slices({part(1'000'000, 8'192'000'000)}, {8192, 8192}, 13);
  EXPECT_THAT(whole, SizeIs(1));
  EXPECT_TRUE(tile(whole));
}

TEST(Slices, EachPartOfATreeIsTiledByItself) {
  const auto all = slices({part(100, 819'200), part(1, 8192), part(64, 524'288)}, {16'384, 81'920});
  EXPECT_THAT(all, Each(Field(&Slice::unit, 7U)));
  std::vector<std::vector<Slice>> by_part(3);
  for (const auto& slice : all) by_part.at(slice.part).push_back(slice);
  for (const auto& own : by_part) EXPECT_TRUE(tile(own));
  EXPECT_THAT(by_part[0], SizeIs(10));
  EXPECT_THAT(by_part[1], SizeIs(1));
}

// A query for the rows costs the server about a tenth more than the table itself.
TEST(Slices, AWholeTableIsReadWithoutAQueryAlsoWhenItHasFloats) {
  Unit unit;
  unit.columns = {"id", "ratio"};
  unit.shape = {pg::CopyFormat::binary, 2, {0}, 1, {1}};
  unit.parts[index(Role::target)] = {part(100, 819'200)};
  const Slice whole{.role = Role::target};
  EXPECT_EQ(copy_sql(unit, whole), R"(COPY "public"."t" ("id", "ratio") TO STDOUT WITH (FORMAT binary))");
  unit.parts[index(Role::target)][0].generates = true;
  EXPECT_EQ(copy_sql(unit, whole),
            R"(COPY (SELECT "id", "ratio" FROM ONLY "public"."t") TO STDOUT WITH (FORMAT binary))");
}

}  // namespace
}  // namespace verify
