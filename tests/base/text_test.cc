#include "base/text.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Trimmed, OnlyWhatIsAroundGoes) {
  EXPECT_EQ(trimmed(" a b\r\n"), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t\r\n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(UpperAndLowerCase, LeaveWhatIsNotAscii) {
  EXPECT_EQ(upper_case("aZ 1é"), "AZ 1é");
  EXPECT_EQ(lower_case("aZ 1É"), "az 1É");
}

TEST(GlobMatch, MatchesTheWholeText) {
  EXPECT_TRUE(glob_match("orders", "orders"));
  EXPECT_FALSE(glob_match("order", "orders"));
  EXPECT_FALSE(glob_match("orders", "order"));
  EXPECT_FALSE(glob_match("orders", "Orders"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(GlobMatch, StarIsAnyTextAndQuestionMarkOneCharacter) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("**", "abc"));
  EXPECT_TRUE(glob_match("a*c*e", "abcde"));
  EXPECT_TRUE(glob_match("*ab", "aab"));
  EXPECT_FALSE(glob_match("a*c*e", "abcd"));
  EXPECT_TRUE(glob_match("log_20??", "log_2024"));
  EXPECT_FALSE(glob_match("log_20??", "log_204"));
  EXPECT_FALSE(glob_match("?", ""));
}

TEST(GlobMatch, CharactersAreUtf8) {
  EXPECT_TRUE(glob_match("?t?", "été"));
  EXPECT_FALSE(glob_match("??", "é"));
  EXPECT_FALSE(glob_match("*??", "é"));
  EXPECT_TRUE(glob_match("*?", "日"));
}

TEST(GlobMatch, ManyStarsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

TEST(BeginningOf, IsNotCutInsideACharacter) {
  EXPECT_EQ(beginning_of("abc", 2), "ab");
  EXPECT_EQ(beginning_of("abc", 3), "abc");
  EXPECT_EQ(beginning_of("abc", 9), "abc");
  EXPECT_EQ(beginning_of("aé", 2), "a");
  EXPECT_EQ(beginning_of("aé", 3), "aé");
  EXPECT_EQ(beginning_of("€", 2), "");
}

TEST(RandomId, IsAnotherEachTime) {
  const auto id = random_id();
  EXPECT_EQ(id.size(), 16U);
  EXPECT_NE(random_id(), id);
}

}  // namespace
}  // namespace base
