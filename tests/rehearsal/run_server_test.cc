#include <csignal>

#include "tests/rehearsal/fixture.h"

namespace rehearsal {
namespace {

constexpr int kKilled = 128 + SIGKILL;

std::vector<std::string> names_of_steps(const nlohmann::json& run) {
  std::vector<std::string> names;
  for (const auto& step : run.at("steps")) names.push_back(step.at("name"));
  return names;
}

// While the application lives, and killed on the way; then the night, with an application that goes on
// writing until the fence stops it.
TEST(Rehearsal, IsKilledTwiceAndEndsReadyAndThenGo) {
  const Application application;
  const Writer writer(application);

  const auto killed = application.cutover({"run"}, {{"CUTOVER_CRASH_AT", "chunk_copy.after:2"}});
  ASSERT_EQ(killed.exit_code, kKilled) << killed.output << killed.error;
  EXPECT_EQ(application.document("run.json").at("steps").at(1).at("finished"), nullptr);
  const auto status = application.cutover({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.error;
  EXPECT_THAT(status.output, AllOf(StartsWith("INCOMPLETE: step copy\n"), HasSubstr("chunks ")));
  const auto again = application.cutover({"run"}, {{"CUTOVER_CRASH_AT", "run_step.after:2"}});
  ASSERT_EQ(again.exit_code, kKilled) << again.output << again.error;

  writer.wait_for_writes(20);
  const auto ready = application.cutover({"run"});
  ASSERT_EQ(ready.exit_code, 4) << ready.output << ready.error;
  EXPECT_THAT(ready.output, AllOf(HasSubstr("\nREADY: everything is equal as of source snapshot "),
                                  HasSubstr("cutover run --final"), Not(HasSubstr("sEcret"))));
  EXPECT_THAT(names_of_steps(application.document("run.json")),
              testing::ElementsAre("plan", "copy", "copy", "upload 1", "upload 1", "upload 2", "verify",
                                   "smoke tests"));
  EXPECT_FALSE(application.source.value("SHOW default_transaction_read_only") == "on");

  writer.wait_for_writes(20);
  const auto leaking = application.cutover({"run", "--final", "--yes", "--report-json"});
  EXPECT_EQ(leaking.exit_code, 4) << leaking.output << leaking.error;
  const auto leak = nlohmann::json::parse(leaking.output);
  EXPECT_THAT(leak.at("headline"), StartsWith("INCOMPLETE: fence: LEAKING: "));
  EXPECT_THAT(leak.at("reasons").at(0), StartsWith("can write: pid "));
  EXPECT_THAT(leak.at("next"), HasSubstr("--end-sessions"));
  writer.wait_for_writes(5);

  const auto go = application.cutover({"run", "--final", "--end-sessions", "--yes"});
  ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
  EXPECT_THAT(go.output, AllOf(HasSubstr("\nGO: "), HasSubstr("source snapshot "), Not(HasSubstr("sEcret"))));
  writer.wait_for_refusals(5);
  application.expect_moved();

  const auto report = application.document("run-report.json");
  EXPECT_EQ(report.at("verdict"), "go");
  EXPECT_GT(report.at("documents").size(), 4U);
  const auto page = application.cutover({"report", "--format", "html"});
  EXPECT_EQ(page.exit_code, 0) << page.error;
  EXPECT_THAT(page.output, AllOf(HasSubstr("<b>GO</b>"), HasSubstr("timeline ("), HasSubstr("Comparison")));
  EXPECT_TRUE(fs::exists(application.directory / "cutover-run/report.html"));

  EXPECT_EQ(application.cutover({"clean", "--yes"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(application.directory / "cutover-run"));
}

}  // namespace
}  // namespace rehearsal
