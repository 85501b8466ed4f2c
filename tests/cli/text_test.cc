#include "cli/text.h"

#include <gmock/gmock.h>

namespace cli {
namespace {

using ::testing::ElementsAre;

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("orders"), 6U);
  EXPECT_EQ(display_width("été"), 3U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // a combining accent
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
}

TEST(Truncated, KeepsWithinTheWidth) {
  EXPECT_EQ(truncated("orders", 6), "orders");
  EXPECT_EQ(truncated("orders", 5), "orde…");
  EXPECT_EQ(truncated("orders", 5, false), "orde~");
  EXPECT_EQ(truncated("orders", 1), "…");
  EXPECT_EQ(truncated("orders", 0), "");
  EXPECT_EQ(truncated("日本語", 4), "日…");  // half a character does not fit
}

TEST(Aligned, PadsByColumns) {
  EXPECT_EQ(left_aligned("日", 4), "日  ");
  EXPECT_EQ(right_aligned("7", 3), "  7");
  EXPECT_EQ(right_aligned("1234", 3), "1234");
}

TEST(Sanitized, DropsWhatATerminalWouldObey) {
  EXPECT_EQ(sanitized("a\x1b[31mb\x07\r\tc"), "a[31mb c");
  EXPECT_EQ(sanitized(std::string("a\0b", 3)), "ab");
  EXPECT_EQ(sanitized("a\x7f\xc2\x9b"
                      "b"),
            "ab");                                 // DEL, and CSI as one character
  EXPECT_EQ(sanitized("a\u202Eb\u2066c"), "abc");  // they reorder the text behind them
  EXPECT_EQ(sanitized("two\nlines"), "two\nlines");
  EXPECT_EQ(sanitized_line("two\nlines"), "two lines");
}

TEST(Sanitized, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(sanitized("a\xff"), "a\uFFFD");
  EXPECT_EQ(sanitized("\xe6\x97"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(sanitized("\xc0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(sanitized("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(sanitized("été 日本 😀"), "été 日本 😀");
}

TEST(Wrapped, BreaksAtSpaces) {
  EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("extraordinarily long", 5), ElementsAre("extraordinarily", "long"));
  EXPECT_THAT(wrapped("", 5), ElementsAre());
}

TEST(ShellQuoted, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(shell_quoted("--run-dir=/tmp/r1"), "--run-dir=/tmp/r1");
  EXPECT_EQ(shell_quoted("audit.*"), "'audit.*'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> names{"--jobs", "--index-jobs", "--source", "--split-size"};
  EXPECT_EQ(nearest("--jbos", names), "--jobs");
  EXPECT_EQ(nearest("--job", names), "--jobs");
  EXPECT_EQ(nearest("--splitsize", names), "--split-size");
  EXPECT_EQ(nearest("--frobnicate", names), "");
}

TEST(Counted, KnowsItsPlurals) {
  EXPECT_EQ(counted(1, "table"), "1 table");
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1234, "index"), "1,234 indexes");
  EXPECT_EQ(counted(2, "foreign key"), "2 foreign keys");
}

}  // namespace
}  // namespace cli
