#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/build.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

// `cmake --install` of this very build.

namespace packaging {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Install, PutsEverythingWhereItIsLookedFor) {
  const support::TempDir prefix;
  support::run_or_throw("/usr/bin/cmake", {"--install", support::build_directory().native(), "--prefix",
                                           prefix.path().native()});
  EXPECT_THAT(support::run_or_throw(prefix / "bin/cutover", {"--version"}), StartsWith("cutover "));
  if (!support::sanitized()) {
    for (const auto* shell : {"bash-completion/completions/cutover", "zsh/site-functions/_cutover",
                              "fish/vendor_completions.d/cutover.fish"})
      EXPECT_THAT(base::read_file(prefix / "share" / shell), HasSubstr("made by: cutover completion"));
    EXPECT_THAT(support::run_or_throw("/usr/bin/zcat", {(prefix / "share/man/man1/cutover.1.gz").native()}),
                StartsWith(".TH CUTOVER 1"));
    const auto example = prefix / "share/doc/cutover/examples/cutover.toml";
    EXPECT_EQ(support::cutover({"config", "check", "--config", example.native()}).exit_code, 0);
  }
  EXPECT_TRUE(std::filesystem::exists(prefix / "share/doc/cutover/README.md"));
  EXPECT_TRUE(std::filesystem::exists(prefix / "share/doc/cutover/docs/architecture.md"));
}

}  // namespace
}  // namespace packaging
