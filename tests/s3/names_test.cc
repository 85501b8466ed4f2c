#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "s3/content_type.h"
#include "s3/glob.h"
#include "s3/keys.h"
#include "s3/layout.h"
#include "s3/uri.h"

namespace s3 {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Uri, HasABucketAndAPrefix) {
  EXPECT_EQ(parse_uri("s3://bucket").display(), "s3://bucket/");
  EXPECT_EQ(parse_uri("s3://bucket/").prefix, "");
  EXPECT_EQ(parse_uri("s3://my.bucket-1/a/b").prefix, "a/b/");
  EXPECT_EQ(parse_uri("s3://bucket/a/b/").prefix, "a/b/");
}

TEST(Uri, RefusesWhatIsNone) {
  for (const auto* text : {"", "bucket", "http://bucket/x", "s3://", "s3:///a", "s3://ab", "s3://Bucket/a",
                           "s3://-bucket", "s3://a..b", "s3://bucket//a", "s3://bucket/a//b",
                           "s3://bucket/\x01", "s3://bucket/\xff", "s3://bucket/a/../b"})
    EXPECT_THROW(parse_uri(text), base::Error) << text;
}

TEST(Key, MayHoldEveryPrintableCharacter) {
  for (const auto* key : {"a", "a b+c%&?#=;:@$,!'()*~", "Ünïcödé/日本語/😀", "a..b", ".hidden", "-", "a/..b"})
    EXPECT_THAT(key_problem(key), IsEmpty()) << key;
  EXPECT_THAT(key_problem(std::string(1024, 'a')), IsEmpty());
}

TEST(Key, SaysWhatIsWrongWithIt) {
  EXPECT_THAT(key_problem(""), HasSubstr("empty"));
  EXPECT_THAT(key_problem(std::string(1025, 'a')), HasSubstr("longer than 1,024 bytes"));
  for (const auto* key : {"a\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"})
    EXPECT_THAT(key_problem(key), HasSubstr("not UTF-8")) << printable(key);
  for (const auto* key : {"a\nb", "\x01", "\x7F", "\xC2\x85", "\xEF\xBF\xBF"})
    EXPECT_THAT(key_problem(key), HasSubstr("control character")) << printable(key);
  for (const auto* key : {".", "..", "./a", "a/..", "a/./b"})
    EXPECT_THAT(key_problem(key), HasSubstr("segment")) << key;
}

TEST(Key, IsShownWithoutWhatATerminalWouldObey) {
  EXPECT_EQ(printable("caf\xC3\xA9 \xFF\n\x1b[31m"), "caf\xC3\xA9 \\xff\\x0a\\x1b[31m");
}

struct GlobCase {
  const char* pattern;
  const char* path;
  bool matches;
  bool is_directory = false;
};

TEST(Glob, FollowsGitignore) {
  for (const auto& [pattern, path, matches, is_directory] : {
           GlobCase{"*.jpg", "a.jpg", true},
           {"*.jpg", "x/y/a.jpg", true},
           {"*.jpg", "a.jpg.txt", false},
           {"/*.jpg", "x/a.jpg", false},
           {"/*.jpg", "a.jpg", true},
           {"x/*.jpg", "x/a.jpg", true},
           {"x/*.jpg", "y/x/a.jpg", false},
           {"x/*.jpg", "x/y/a.jpg", false},
           {"**/x/*.jpg", "y/x/a.jpg", true},
           {"**/x/*.jpg", "x/a.jpg", true},
           {"**/x/*.jpg", "yx/a.jpg", false},
           {"x/**", "x/a/b", true},
           {"x/**/b", "x/b", true},
           {"x/**/b", "x/a/a/b", true},
           {"x/**/b", "x/ab", false},
           {"a?c", "abc", true},
           {"a?c", "a/c", false},
           {"[a-c]x", "bx", true},
           {"[!a-c]x", "bx", false},
           {"[!a-c]x", "dx", true},
           {"[]x]y", "]y", true},
           {"[x", "[x", true},
           {"\\*", "*", true},
           {"\\*", "a", false},
           {"cache/", "cache", false},
           {"cache/", "cache", true, true},
           {"cache/", "a/cache", true, true},
       })
    EXPECT_EQ(Glob(pattern).matches(path, is_directory), matches) << pattern << " against " << path;
  EXPECT_THROW(Glob(""), base::Error);
  EXPECT_THROW(Glob("!/"), base::Error);
}

TEST(PathFilter, TakesBackWithAnExclamationMark) {
  const PathFilter filter{{}, {Glob("*.log"), Glob("!keep.log"), Glob("tmp/")}};
  EXPECT_FALSE(filter.wants_file("a/b.log"));
  EXPECT_TRUE(filter.wants_file("a/keep.log"));
  EXPECT_FALSE(filter.wants_file("a/tmp/keep.log")) << "its directory is excluded";
  EXPECT_FALSE(filter.wants_directory("a/tmp"));
  EXPECT_TRUE(filter.wants_file("tmp"));
}

TEST(PathFilter, IncludesFilesAndWhatLiesInDirectories) {
  const PathFilter filter{{Glob("/images/"), Glob("*.pdf")}, {Glob("draft*")}};
  EXPECT_TRUE(filter.wants_file("images/x/y.png"));
  EXPECT_TRUE(filter.wants_file("a/b.pdf"));
  EXPECT_FALSE(filter.wants_file("a/b.txt"));
  EXPECT_FALSE(filter.wants_file("images/draft.png"));
  EXPECT_TRUE(filter.wants_directory("a")) << "a PDF may be in it";
}

TEST(Layout, KeepsToTheLimitsOfS3) {
  EXPECT_EQ(layout_of(kLargestPut + 1).part_size, 16 * kMiB);
  EXPECT_EQ(layout_of(kLargestPut + 1).parts(), 3U);
  EXPECT_EQ(layout_of(kLargestPut + 1).length(3), 1U);
  EXPECT_EQ(layout_of(64 * kMiB).length(4), 16 * kMiB);
  for (const auto size :
       {9000 * 16 * kMiB, 9000 * 16 * kMiB + 1, 1000 * kGiB, 40'000 * kGiB, kLargestObject}) {
    const auto layout = layout_of(size);
    EXPECT_LE(layout.parts(), kMostParts) << size;
    EXPECT_LE(layout.part_size, kLargestPart) << size;
    EXPECT_EQ(layout.part_size % kMiB, 0U) << size;
    EXPECT_EQ(layout.offset(layout.parts()) + layout.length(layout.parts()), size);
  }
  try {
    layout_of(kLargestObject + 1);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::permanent) << "one file's failure, not the run's end";
  }
}

TEST(ContentTypes, ComeFromEitherTable) {
  const ContentTypes types("# comment\nimage/jpeg jpeg jpg jpe\ntext/plain\t\ttxt\n", "");
  EXPECT_EQ(types.of("a/b.JPG"), "image/jpeg");
  EXPECT_EQ(types.of("b.x.txt"), "text/plain");
  EXPECT_EQ(types.of("a.b/c"), "application/octet-stream");
  EXPECT_EQ(types.of(".txt"), "application/octet-stream");
  const ContentTypes globs(
      "", "# weight:type:glob\n80:text/x:*.x\n50:text/other:*.x\n50:a/b:*.tar.gz\n50:a/c:*.gz:cs\n");
  EXPECT_EQ(globs.of("1.x"), "text/x");
  EXPECT_EQ(globs.of("1.tar.gz"), "a/b");
  EXPECT_EQ(globs.of("1.gz"), "a/c");
  EXPECT_FALSE(ContentTypes::from_system().empty());
}

TEST(HeaderRules, TakeTheLastThatMatches) {
  const HeaderRules rules{{{Glob("*"), "no-cache"}, {Glob("*.js"), "max-age=60"}}};
  EXPECT_EQ(rules.value_for("a/b.js"), "max-age=60");
  EXPECT_EQ(rules.value_for("a/b.css"), "no-cache");
  EXPECT_EQ(HeaderRules().value_for("x"), "");
}

}  // namespace
}  // namespace s3
