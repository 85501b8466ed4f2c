#include <filesystem>

#include <gmock/gmock.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Demo, TellsTheWholeStoryAndLeavesNothingBehind) {
  const support::TempDir directory;
  const support::TempDir temporary;
  std::filesystem::permissions(temporary.path(),
                               std::filesystem::perms(0755));  // servers run as another user than root
  // What belongs to a real move is not the demo's to touch.
  const auto told = support::cutover(
      {"demo", "--no-progress"}, {.environment = {{"CUTOVER_SOURCE", "postgres://nobody@127.0.0.1:1/real"},
                                                  {"CUTOVER_TARGET", "postgres://nobody@127.0.0.1:1/real"},
                                                  {"TMPDIR", temporary.path().string()}},
                                  .directory = directory.path()});
  ASSERT_EQ(told.exit_code, 0) << told.output << told.error;
  EXPECT_THAT(told.output, AllOf(HasSubstr("(killed)"), HasSubstr("READY: "), HasSubstr("\nGO: "),
                                 HasSubstr("NO-GO: "), HasSubstr("REPAIRED: 1 step")));
  EXPECT_TRUE(std::filesystem::exists(directory / "cutover-demo.html"));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

}  // namespace
}  // namespace cli
