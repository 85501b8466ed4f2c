// What the run's sessions on the target are at while they wait for their statements.

#include <fmt/format.h>

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::HasSubstr;

/// Waits until one of the run's activities has a detail with `text` in it.
void wait_for_detail(const Copy& way, const std::string& what, const std::string& text) {
  wait_for_status(way, [&](const auto& status) {
    if (!status.at("progress").is_object()) return false;
    for (const auto& activity : status.at("progress").at("activities"))
      if (activity.at("what").template get<std::string>().starts_with(what) &&
          activity.at("detail").template get<std::string>().find(text) != std::string::npos)
        return true;
    return false;
  });
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(TargetWatch, NamesOnceWhomTheCopyWaitsFor) {
  const auto* tables = "CREATE TABLE held (id int); CREATE TABLE other (id int)";
  const Move move(tables, tables);
  move.source.exec("INSERT INTO held VALUES (1); INSERT INTO other VALUES (1)");
  support::Session holder(move.target.url());
  holder.exec("SET application_name = 'reporting'; BEGIN; LOCK TABLE held IN SHARE MODE");
  const auto pid = holder.backend_pid();
  support::Process copy(support::cutover_program(), move.way.arguments("copy", {"--schema", "none"}));
  wait_for_detail(move.way, "copy public.held", "waits for a lock on public.held that session");
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

TEST(TargetWatch, SaysHowFarAnIndexIs) {
  const Move move(R"(
    CREATE FUNCTION slow(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_catalog.pg_sleep(0.05); RETURN i; END $$;
    CREATE TABLE t (id int);
    CREATE INDEX slow_index ON t (slow(id));
    INSERT INTO t SELECT generate_series(1, 160);)");
  support::Process run(support::cutover_program(), move.way.arguments("copy", {}));
  wait_for_detail(move.way, "index public.slow_index", "scanning table");
  EXPECT_TRUE(exits(run.wait(), 0));
}

}  // namespace
}  // namespace copy::test
