#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"
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
  const auto page = directory / "cutover-demo.html";
  EXPECT_TRUE(std::filesystem::exists(page));
  EXPECT_THAT(told.output, testing::ContainsRegex("==== done, in [0-9].* The report of the night: /"));
  EXPECT_THAT(told.output, HasSubstr("The report of the night: " + page.string()));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

/// The connection string of its source, from the cutover.toml that it has written.
std::string source_of_demo(const std::filesystem::path& temporary) {
  const auto home = std::filesystem::directory_iterator(temporary)->path();
  const auto config = base::read_file(home / "cutover.toml");
  const auto begin = config.find("postgres://");
  return config.substr(begin, config.find('"', begin) - begin);
}

TEST(Demo, IsInterruptedAndItsServersAreNobodyElses) {
  const support::TempDir directory;
  const support::TempDir temporary;
  std::filesystem::permissions(temporary.path(), std::filesystem::perms(0755));
  support::Process demo(
      support::cutover_program(), {"demo", "--no-progress"},
      {.environment = {{"TMPDIR", temporary.path().string()}, {"http_proxy", "http://127.0.0.1:1"}},
       .directory = directory.path()});
  demo.wait_for_output("it is killed with SIGKILL in the middle of the copy");
  auto url = source_of_demo(temporary.path());
  EXPECT_NO_THROW(support::Session{url});
  const auto password = url.find(':', url.find("//"));
  url.erase(password, url.find('@') - password);
  EXPECT_THROW(support::Session{url}, std::runtime_error) << "every user of this machine would be superuser";
  demo.kill(SIGINT);
  const auto stopped = demo.wait();
  EXPECT_EQ(stopped.exit_code, 4) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.error, testing::Not(HasSubstr("may still run")));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

}  // namespace
}  // namespace cli
