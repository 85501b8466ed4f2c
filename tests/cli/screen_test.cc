#include "cli/screen.h"

#include <gmock/gmock.h>

#include "tests/cli/environment.h"

namespace cli {
namespace {

TEST(Composed, CutsAtTheWidthAndColoursEachSpan) {
  const Line line{{Style::plain, "copying "}, {Style::green, "━━━"}, {Style::dim, "──"}};
  EXPECT_EQ(composed(line, 80, false, true), "copying ━━━──");
  EXPECT_EQ(composed(line, 80, true, true), "copying \x1b[1;32m━━━\x1b[0m\x1b[2m──\x1b[0m");
  EXPECT_EQ(composed(line, 10, false, true), "copying ━…");
  EXPECT_EQ(composed(line, 10, true, true), "copying \x1b[1;32m━…\x1b[0m");
  EXPECT_EQ(composed(line, 0, false, true), "");
}

TEST(WantsUnicode, FollowsTheLocale) {
  const test::Variable all("LC_ALL", "");
  const test::Variable type("LC_CTYPE", "");
  const test::Variable language("LANG", "en_US.UTF-8");
  EXPECT_TRUE(wants_unicode());
  const test::Variable plain("LC_ALL", "C");
  EXPECT_FALSE(wants_unicode());
  const test::Variable utf8("LC_ALL", "C.utf8");
  EXPECT_TRUE(wants_unicode());
}

}  // namespace
}  // namespace cli
