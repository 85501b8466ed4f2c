#include "base/slab_allocator.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace base {
namespace {

using Names = std::map<int, std::string, std::less<>, SlabAllocator<std::pair<const int, std::string>>>;

Names numbered(int count) {
  Names names;
  for (int i = 0; i < count; ++i) names[i] = "the name of " + std::to_string(i);
  return names;
}

TEST(SlabAllocator, ACopyOutlivesWhatItWasMadeOf) {
  Names copy;
  {
    const auto names = numbered(1000);
    copy = names;
    EXPECT_FALSE(copy.get_allocator() == names.get_allocator());
    const Names other(names);
    EXPECT_FALSE(other.get_allocator() == names.get_allocator());
  }
  EXPECT_EQ(copy, numbered(1000));
}

TEST(SlabAllocator, WhatIsMovedTakesItsPiecesAlong) {
  auto names = numbered(1000);
  {
    auto others = numbered(10);
    const auto* first = &others.begin()->second;
    names = std::move(others);
    EXPECT_EQ(&names.begin()->second, first);
    others = numbered(3);
    EXPECT_EQ(others.size(), 3U);
  }
  names[10] = "one more";
  EXPECT_EQ(names.size(), 11U);
}

TEST(SlabAllocator, WhatWasMovedOutOfCanBeFilledAgain) {
  auto names = numbered(10);
  Names made(std::move(names));
  names[1] = "again";  // NOLINT(bugprone-use-after-move)
  Names assigned;
  assigned = std::move(made);
  made[2] = "again";  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(assigned, numbered(10));
  EXPECT_EQ(names, (Names{{1, "again"}}));
  EXPECT_EQ(made, (Names{{2, "again"}}));
}

TEST(SlabAllocator, EntriesLieTogether) {
  Names names;
  std::vector<std::string> others;
  std::map<int, const char*> addresses;
  for (int i = 0; i < 1000; ++i) {
    addresses[i] = reinterpret_cast<const char*>(&names[i]);  // NOLINT
    others.emplace_back(500, 'x');
  }
  int neighbours = 0;
  for (int i = 1; i < 1000; ++i) neighbours += std::abs(addresses[i] - addresses[i - 1]) < 200 ? 1 : 0;
  EXPECT_GT(neighbours, 950);
}

}  // namespace
}  // namespace base
