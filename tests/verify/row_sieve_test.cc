#include "verify/row_sieve.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kBytes = uint64_t{1} << 20;  // 131,072 cells
constexpr uint64_t kRows = 500'000;

uint64_t place_of(uint64_t row) { return row * 0x9E3779B97F4A7C15ULL ^ 0x1234567890ABCDEFULL; }
base::uint128 hash_of(uint64_t row) { return base::uint128{row + 1} * 0xD1342543DE82EF95ULL; }

/// Those of kRows that a sieve tells.
std::vector<uint64_t> told(const RowSieve& sieve) {
  std::vector<uint64_t> out;
  for (uint64_t row = 0; row < kRows; ++row)
    if (sieve.may_differ(place_of(row))) out.push_back(row);
  return out;
}

TEST(RowSieve, RowsOfBothSidesLeaveNothingBehindInWhateverOrder) {
  RowSieve sieve(kBytes);
  for (uint64_t row = 0; row < kRows; ++row) sieve.add(Role::source, place_of(row), hash_of(row));
  for (uint64_t row = kRows; row-- > 0;) sieve.add(Role::target, place_of(row), hash_of(row));
  sieve.close();
  EXPECT_EQ(sieve.fill(), 0);
  EXPECT_THAT(told(sieve), IsEmpty());
}

TEST(RowSieve, TellsWhatIsMissingChangedExtraOrNotEquallyOften) {
  RowSieve sieve(kBytes);
  for (uint64_t row = 0; row < kRows; ++row) {
    if (row != 7) sieve.add(Role::source, place_of(row), hash_of(row));
    if (row == 70'000) continue;
    sieve.add(Role::target, place_of(row), hash_of(row) + (row == 400'000 ? 1 : 0));
    if (row == 450'000) sieve.add(Role::target, place_of(row), hash_of(row));
  }
  sieve.close();
  EXPECT_THAT(told(sieve), ElementsAre(7, 70'000, 400'000, 450'000));
  EXPECT_NEAR(sieve.keys(), 4, 0.1);
}

// What it lets through beside them is what the next pass has to hold: a few of a million.
TEST(RowSieve, MostOfWhatIsEqualStaysOut) {
  RowSieve sieve(kBytes);
  for (uint64_t row = 0; row < kRows; ++row) {
    sieve.add(Role::source, place_of(row), hash_of(row));
    if (row % 100 != 0) sieve.add(Role::target, place_of(row), hash_of(row));
  }
  sieve.close();
  const auto rows = told(sieve);
  const auto missing = std::ranges::count_if(rows, [](uint64_t row) { return row % 100 == 0; });
  EXPECT_EQ(static_cast<uint64_t>(missing), kRows / 100);
  EXPECT_LT(rows.size(), kRows / 100 + kRows / 200);
  EXPECT_NEAR(sieve.keys(), kRows / 100.0, kRows / 1000.0);
}

TEST(Share, HalvesUntilEachPlaceIsInOne) {
  std::vector<Share> shares{{}};
  for (int i = 0; i < 7; ++i) shares.push_back(shares[static_cast<size_t>(i / 2)].split());
  for (uint64_t row = 0; row < 1000; ++row)
    EXPECT_EQ(std::ranges::count_if(shares, [&](const Share& share) { return share.has(place_of(row)); }), 1);
}

}  // namespace
}  // namespace verify
