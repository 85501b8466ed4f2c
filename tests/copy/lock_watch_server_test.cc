// A copy that stands still, because somebody at the target has a lock, says whose it is.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(LockWatch, NamesOnceWhomTheCopyWaitsForAtTheTarget) {
  const auto* tables = "CREATE TABLE held (id int); CREATE TABLE other (id int)";
  const Move move(tables, tables);
  move.source.exec("INSERT INTO held VALUES (1); INSERT INTO other VALUES (1)");
  support::Session holder(move.target.url());
  holder.exec("SET application_name = 'reporting'; BEGIN; LOCK TABLE held IN SHARE MODE");
  const auto pid = holder.backend_pid();
  support::Process copy(support::cutover_program(), move.way.arguments("copy", {"--schema", "none"}));
  copy.wait_for_output("the copy waits at the target");
  holder.exec("COMMIT");
  const auto result = copy.wait();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(
      result.error,
      HasSubstr(fmt::format("a lock on public.held that session {} (reporting, user postgres, since", pid)));
  EXPECT_EQ(count_of(result.error, "the copy waits at the target"), 1U);
  move.expect_equal();
}

}  // namespace
}  // namespace copy::test
