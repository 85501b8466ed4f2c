#include <sstream>

#include "tests/rehearsal/fixture.h"

namespace rehearsal {
namespace {

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
  EXPECT_EQ(application.document("run.json").at("steps").at(2).at("finished"), nullptr);
  const auto status = application.cutover({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.error;
  EXPECT_THAT(status.output, AllOf(StartsWith("INCOMPLETE: step copy\n"), HasSubstr("chunks ")));
  const auto again = application.cutover({"run"}, {{"CUTOVER_CRASH_AT", "run_step.after:3"}});
  ASSERT_EQ(again.exit_code, kKilled) << again.output << again.error;

  writer.wait_for_writes(20);
  const auto ready = application.cutover({"run"});
  ASSERT_EQ(ready.exit_code, 4) << ready.output << ready.error;
  EXPECT_THAT(ready.output, AllOf(HasSubstr("\nREADY: everything is equal as of the copy of 20"),
                                  HasSubstr("cutover run --final"), Not(HasSubstr("sEcret"))));
  EXPECT_THAT(names_of_steps(application.document("run.json")),
              testing::ElementsAre("fence rights", "plan", "copy", "fence rights", "copy", "upload 1",
                                   "fence rights", "upload 1", "upload 2", "verify", "smoke tests"));
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

// The night, killed before and after each of its steps; then as if nothing had been.
TEST(Rehearsal, IsKilledAtEveryStepOfTheNight) {
  const Application application;
  ASSERT_EQ(application.cutover({"run"}).exit_code, 4);
  application.add_document(application.source, 500);
  application.source.exec(R"(UPDATE "User" SET "displayName" = 'changed' WHERE email LIKE 'user1%')");
  constexpr int kSteps = 6;  // smoke tests, fence, repair, two uploads, check
  for (int step = 1; step <= kSteps; ++step)
    for (const auto* point : {"run_step.before", "run_step.after"}) {
      const auto killed = application.cutover({"run", "--final", "--yes"},
                                              {{"CUTOVER_CRASH_AT", fmt::format("{}:{}", point, step)}});
      ASSERT_EQ(killed.exit_code, kKilled) << point << step << killed.output << killed.error;
    }
  ASSERT_EQ(
      application.cutover({"run", "--final", "--yes"}, {{"CUTOVER_CRASH_AT", "run_verdict.after"}}).exit_code,
      kKilled);
  const auto go = application.cutover({"run", "--final", "--yes"});
  EXPECT_EQ(go.exit_code, 0) << go.output << go.error;
  application.expect_moved();
}

// A run that somebody stops says so, and goes on; only one works on its directory.
TEST(Rehearsal, IsStoppedByASignalAndGoesOn) {
  const GatedMove move;
  const auto run = move.arguments();
  support::Process process(support::cutover_program(), run, move.options());
  move.wait_until_it_copies();
  const auto second = support::cutover(run, move.options());
  EXPECT_EQ(second.exit_code, 2) << second.error;
  const auto status = support::cutover({"status"}, move.options());
  EXPECT_THAT(status.output, StartsWith("RUNNING: step copy\n"));
  const auto page = support::cutover({"report", "--format", "html"}, move.options());
  EXPECT_THAT(page.output, HasSubstr("<b>RUNNING</b>")) << page.error;
  process.kill(SIGTERM);
  const auto stopped = process.wait();
  EXPECT_EQ(stopped.exit_code, 4) << stopped.output << stopped.error;
  EXPECT_THAT(stopped.output,
              AllOf(HasSubstr("\nINCOMPLETE: copy: "), HasSubstr("next: go on with: cutover run"),
                    HasSubstr("--source …"), Not(HasSubstr("sEcret"))));
  std::istringstream lines(stopped.error);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  std::ifstream kept(move.directory / "cutover-run/run.json");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(kept), {}), Not(HasSubstr("sEcret")));

  move.open();
  const auto ready = support::cutover(run, move.options());
  EXPECT_EQ(ready.exit_code, 4) << ready.output << ready.error;
  EXPECT_THAT(ready.output, HasSubstr("\nREADY: "));
}

// Whoever watches it sees what it does, and its end.
TEST(Rehearsal, CanBeWatchedWhileItGoesOn) {
  const GatedMove move;
  support::Process process(support::cutover_program(), move.arguments({"--serve", "127.0.0.1:0"}),
                           move.options());
  const auto address = GatedMove::address_of(process);
  move.wait_until_it_copies();
  const auto page = get(address).body;
  EXPECT_THAT(page, AllOf(HasSubstr("<b>RUNNING</b><span> step copy</span>"),
                          HasSubstr("<td class=\"plain\">plan</td>"), HasSubstr("running (pid "),
                          HasSubstr("http-equiv=\"refresh\""), Not(HasSubstr("sEcret"))));
  EXPECT_THAT(
      get(address + "metrics").body,
      AllOf(HasSubstr(R"(cutover_running{run=".",kind="run"} 1)"), HasSubstr(R"(verdict="running"} 1)"),
            HasSubstr(R"(step="copy"} 1)"), HasSubstr(R"(cutover_chunks_done{run="database",kind="copy"})")));
  EXPECT_EQ(get(address + "healthz").body, "ok\n");
  move.open();
  auto last = page;
  while (last.find("http-equiv=\"refresh\"") != std::string::npos) {
    // A browser's pace, if a quick one: a loop without any would be all that these two cores do.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    last = get(address).body;
  }
  EXPECT_THAT(last,
              AllOf(HasSubstr("<b>READY</b>"), HasSubstr("Comparison"), Not(HasSubstr("running (pid "))));
  EXPECT_EQ(process.wait().exit_code, 4);
}

}  // namespace
}  // namespace rehearsal
