#include "base/packed_strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PackedStrings, GiveBackTheirTexts) {
  EXPECT_THAT(PackedStrings().list(), IsEmpty());
  EXPECT_TRUE(PackedStrings(std::vector<std::string>()).empty());
  EXPECT_THAT(PackedStrings{"id"}.list(), ElementsAre("id"));
  const std::string longer(100, 'x');
  const PackedStrings several{"", longer, "日本\n", ""};
  EXPECT_THAT(several.list(), ElementsAre("", longer, "日本\n", ""));
  EXPECT_FALSE(PackedStrings{""}.empty());
}

TEST(PackedStrings, AreComparedByTheirTexts) {
  const PackedStrings both{"a", "b"};
  EXPECT_EQ(both, PackedStrings(std::vector<std::string>{"a", "b"}));
  EXPECT_NE(both, PackedStrings{"ab"});
  EXPECT_NE((PackedStrings{"a", ""}), PackedStrings{"a"});
}

TEST(PackedStrings, HaveNoZeroBytes) {
  EXPECT_THAT([] { PackedStrings(std::vector<std::string>{std::string("a\0b", 3)}); },
              test::throws(ErrorKind::corrupt));
}

}  // namespace
}  // namespace base
