#include "cli/demo_files.h"

#include <set>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/build.h"

namespace cli {
namespace {

// A byte that the build changes would be a row that the demo makes otherwise than the tests do.
TEST(DemoFiles, AreThoseOfTheSourceTreeByteForByte) {
  std::set<std::string> names;
  for (const auto& file : demo_files()) {
    EXPECT_TRUE(file.text == base::read_file(support::source_file("cli/demo") / file.name)) << file.name;
    names.emplace(file.name);
  }
  std::set<std::string> in_the_tree;
  for (const auto& entry : std::filesystem::directory_iterator(support::source_file("cli/demo")))
    in_the_tree.insert(entry.path().filename().string());
  EXPECT_EQ(names, in_the_tree);
}

}  // namespace
}  // namespace cli
