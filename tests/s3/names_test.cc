#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "s3/content_type.h"
#include "s3/glob.h"
#include "s3/header_rules.h"
#include "s3/keys.h"
#include "s3/layout.h"
#include "s3/local_file.h"
#include "s3/object_headers.h"
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

/// What is said against tags, or nothing.
std::string objection_to(const std::vector<std::pair<std::string, std::string>>& tags) {
  ObjectSettings settings;
  try {
    for (const auto& [key, value] : tags) add_tag(settings, key, value);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    return error.message();
  }
  return {};
}

TEST(Tags, KeepToTheLimitsOfS3) {
  std::string wide;
  for (int i = 0; i < 128; ++i) wide += "ü";
  EXPECT_THAT(objection_to({{wide, wide + wide}}), IsEmpty()) << "characters count, not bytes";
  EXPECT_THAT(objection_to({{wide + "x", "1"}}), HasSubstr("too long"));
  EXPECT_THAT(objection_to({{"a", wide + wide + "x"}}), HasSubstr("too long"));
  EXPECT_THAT(objection_to({{"aws:x", "1"}}), HasSubstr("aws:"));
  EXPECT_THAT(objection_to({{"a", "line\nbreak"}}), HasSubstr("control character"));
  EXPECT_THAT(objection_to({{"a\xFF", "1"}}), HasSubstr("UTF-8"));
  std::vector<std::pair<std::string, std::string>> tags;
  for (int i = 0; i < 10; ++i) tags.emplace_back(std::string(1, static_cast<char>('a' + i)), "1");
  EXPECT_THAT(objection_to(tags), IsEmpty());
  tags.emplace_back("j", "again");
  EXPECT_THAT(objection_to(tags), IsEmpty()) << "the last value of a key counts";
  tags.emplace_back("k", "1");
  EXPECT_THAT(objection_to(tags), HasSubstr("one too many"));
}

TEST(Metadata, HasTheTimeOfTheFile) {
  const ObjectHeaders headers({}, ContentTypes("", ""));
  const auto mtime = [&](int64_t nanoseconds) {
    return std::string(
        headers.of("a", {.mtime_ns = static_cast<uint64_t>(nanoseconds)}).get("x-amz-meta-mtime"));
  };
  EXPECT_EQ(mtime(1'700'000'000'123'456'789), "1700000000.123456789");
  EXPECT_EQ(mtime(-1'500'000'000), "-1.500000000") << "before 1970";
  constexpr size_t kMostMetadata = 2048;
  EXPECT_LT(mtime(std::numeric_limits<int64_t>::max()).size(), kMostMetadata);
}

TEST(ObjectHeaders, AreAsAskedOnlyWhereThatCanBeSeen) {
  const std::string arn = "arn:aws:kms:eu-central-1:123456789012:key/1234-abcd";
  const auto is_taken = [](const std::string& asked, const std::string& found) {
    ObjectSettings settings;
    settings.kms_key = asked;
    return ObjectHeaders(settings, ContentTypes("", ""))
        .are_as_asked("a", {{"x-amz-server-side-encryption-aws-kms-key-id", found}});
  };
  EXPECT_TRUE(is_taken("", arn));
  EXPECT_TRUE(is_taken(arn, arn));
  EXPECT_TRUE(is_taken("1234-abcd", arn));
  EXPECT_TRUE(is_taken("key-1", "key-1"));
  EXPECT_FALSE(is_taken("abcd", arn));
  EXPECT_FALSE(is_taken("5678-abcd", arn));
  EXPECT_FALSE(is_taken("alias/files", arn)) << "it may be that of another key";
  EXPECT_FALSE(is_taken("1234-abcd", ""));
  ObjectSettings tagged;
  tagged.tags["a"] = "b";
  EXPECT_FALSE(ObjectHeaders(tagged, ContentTypes("", "")).are_as_asked("a", {{"x-amz-tagging-count", "1"}}));
}

TEST(YoungFile, IsOneThatWasChangedJustNow) {
  const auto now = std::chrono::system_clock::now();
  const auto at = [](std::chrono::system_clock::time_point time) {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  };
  const auto old = at(now - std::chrono::seconds(3));
  EXPECT_TRUE(is_young({.mtime_ns = at(now), .ctime_ns = old}, now));
  EXPECT_TRUE(is_young({.mtime_ns = old, .ctime_ns = at(now)}, now));
  EXPECT_FALSE(is_young({.mtime_ns = old, .ctime_ns = old}, now));
  EXPECT_FALSE(is_young({.mtime_ns = static_cast<uint64_t>(-1), .ctime_ns = old}, now)) << "from 1969";
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

using AddRule = void (*)(HeaderRules&, std::string_view);

/// "GLOB | VALUE", or what is said against it.
std::string rule_of(AddRule add, std::string_view text) {
  HeaderRules rules;
  try {
    add(rules, text);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    return "refused";
  }
  return rules.rules.at(0).first.text() + " | " + rules.rules.at(0).second;
}

struct RuleCase {
  const char* text;
  const char* rule;
};

TEST(HeaderRules, TellAGlobFromADirectiveOfCacheControl) {
  for (const auto& [text, rule] : {
           RuleCase{"no-store", "* | no-store"},
           {"max-age=60", "* | max-age=60"},
           {"Max-Age=60, Public", "* | Max-Age=60, Public"},
           {"no-cache=\"X\"", "* | no-cache=\"X\""},
           {"private=\"Set-Cookie\", max-age=0", "* | private=\"Set-Cookie\", max-age=0"},
           {"public, max-age=60", "* | public, max-age=60"},
           {"*.js=max-age=60", "*.js | max-age=60"},
           {"*.js=no-cache=\"X\"", "*.js | no-cache=\"X\""},
           {"**/private=no-store", "**/private | no-store"},
           {"[=]*.js=no-store", "[=]*.js | no-store"},
           {"a\\=b=no-store", "a\\=b | no-store"},
           {"a=b=no-store", "refused"},
           {"*.js", "refused"},
           {"*.js=", "refused"},
           {"=no-store", "refused"},
           {"*.js=fast", "refused"},
           {"", "refused"},
           {"*=no-store\r\nX: y", "refused"},
       })
    EXPECT_EQ(rule_of(add_cache_control, text), rule) << text;
}

TEST(HeaderRules, TellAGlobFromAMediaType) {
  for (const auto& [text, rule] : {
           RuleCase{"text/html", "* | text/html"},
           {"text/html; charset=utf-8", "* | text/html; charset=utf-8"},
           {"text/html;charset=\"utf-8\"", "* | text/html;charset=\"utf-8\""},
           {"*.html=text/html; charset=utf-8", "*.html | text/html; charset=utf-8"},
           {"a/b=text/html", "a/b | text/html"},
           {"a/b;c=text/html", "a/b;c | text/html"},
           {"x=y/*.svg=image/svg+xml", "refused"},
           {"x[=]y/*.svg=image/svg+xml", "x[=]y/*.svg | image/svg+xml"},
           {"*.html", "refused"},
           {"image/*", "refused"},
           {"*.html=html", "refused"},
           {"text/html; charset", "refused"},
           {"*=text/html\nX: y", "refused"},
       })
    EXPECT_EQ(rule_of(add_content_type, text), rule) << text;
}

}  // namespace
}  // namespace s3
