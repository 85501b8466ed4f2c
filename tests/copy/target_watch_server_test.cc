// What the run's sessions on the target are at while they wait for their statements.

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
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

TEST(TargetWatch, SaysForWhoseLockAChunkWaits) {
  const std::string table = "CREATE TABLE t (id int PRIMARY KEY)";
  const Move move(table + "; INSERT INTO t VALUES (1)", table);
  support::Session holder(move.target.url());
  holder.exec("SET application_name = 'somebody'; BEGIN; LOCK TABLE t IN SHARE MODE");
  support::Process run(support::cutover_program(), move.way.arguments("copy", {"--schema", "none"}));
  wait_for_detail(move.way, "copy public.t", "waits for a lock of session");
  run.wait_for_output("copy public.t waits at the target for a lock that session");
  holder.exec("COMMIT");
  const auto result = run.wait();
  EXPECT_TRUE(exits(result, 0));
  EXPECT_THAT(text_of(result), HasSubstr("(somebody, user "));
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
