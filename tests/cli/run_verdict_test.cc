#include "cli/run_verdict.h"

#include <gmock/gmock.h>

#include "cli/check_report.h"
#include "cli/errors.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kAgain = "cutover run";

StepOutcome step(const std::string& name, int exit_code, const std::string& headline = "",
                 Json document = Json()) {
  StepOutcome out{{name, {name}}, {exit_code, {}}};
  if (document.is_null()) document = Json{{"exit_code", exit_code}};
  out.outcome.results.push_back({headline, std::move(document)});
  return out;
}

Json comparison() {
  return {{"command", "verify"},
          {"time", "2026-01-31T22:00:00.000Z"},
          {"exit_code", 0},
          {"source", {{"snapshot", "740:740:"}, {"lsn", "0/16B"}}}};
}

Move a_move(bool final = false) {
  Move move;
  move.root = "R";
  move.databases = true;
  move.final = final;
  return move;
}

TEST(RunVerdict, OfARehearsalIsNoGo) {
  const auto verdict =
      verdict_of(a_move(), {step("copy", kEqual), step("verify", kEqual, "EQUAL", comparison())}, kAgain);
  EXPECT_EQ(verdict.name, "ready");
  EXPECT_EQ(verdict.exit_code, kIncomplete);
  EXPECT_EQ(
      verdict.headline,
      "READY: everything is equal as of 2026-01-31T22:00:00.000Z, source snapshot 740:740: at LSN 0/16B; "
      "the source still accepts writes");
  auto recorded = comparison();
  recorded["source"].update({{"recorded", true}, {"began", "2026-01-30T20:00:00.000Z"}});
  EXPECT_THAT(verdict_of(a_move(), {step("verify", kEqual, "EQUAL", recorded)}, kAgain).headline,
              StartsWith("READY: everything is equal as of the copy of 2026-01-30T20:00:00.000Z, source "
                         "snapshot 740:740: at LSN 0/16B"));
  EXPECT_THAT(verdict.next, HasSubstr("cutover run --final"));
}

TEST(RunVerdict, OfABlockedPlanNamesWhatIsInTheWay) {
  const Json plan{
      {"version", 1},
      {"command", "plan"},
      {"blocked", true},
      {"findings",
       {{{"severity", "info"}, {"object", "schema neon"}, {"message", "skipped"}, {"fix", ""}},
        {{"severity", "warning"}, {"object", "role app"}, {"message", "is missing"}, {"fix", ""}},
        {{"severity", "blocker"}, {"object", "table t"}, {"message", "is not empty"}, {"fix", "x"}}}}};
  const auto verdict = verdict_of(a_move(), {step("plan", kUsage, "BLOCKED: table t", plan)}, kAgain);
  EXPECT_EQ(verdict.exit_code, kUsage);
  EXPECT_EQ(verdict.headline, "NO-GO: plan: in the way: table t: is not empty");
  EXPECT_EQ(verdict.reasons.size(), 1U);
}

TEST(RunVerdict, OfARehearsalSaysWhatWasNotCompared) {
  const auto upload = step("upload", kEqual, "UPLOADED (not compared): 1 file",
                           {{"command", "upload"}, {"exit_code", 0}, {"verdict", "uploaded"}});
  auto move = a_move();
  EXPECT_THAT(verdict_of(move, {step("verify", kEqual, "EQUAL", comparison()), upload}, kAgain).headline,
              AllOf(StartsWith("READY: the databases are equal as of"), HasSubstr("were not compared")));
  move.databases = false;
  EXPECT_THAT(verdict_of(move, {upload}, kAgain).headline, HasSubstr("were not compared"));
}

TEST(RunVerdict, OfAStepThatStopsIsItsOwn) {
  const auto leaking =
      verdict_of(a_move(true), {step("fence", kIncomplete, "LEAKING: app is fenced")}, kAgain);
  EXPECT_EQ(leaking.exit_code, kIncomplete);
  EXPECT_EQ(leaking.headline, "INCOMPLETE: fence: LEAKING: app is fenced");
  EXPECT_THAT(leaking.next, AllOf(HasSubstr("cutover run --end-sessions"), HasSubstr("cutover fence off")));
  const auto suspicious =
      verdict_of(a_move(true), {step("repair", kUsage, "FAILED: too much differs")}, kAgain);
  EXPECT_EQ(suspicious.exit_code, kUsage);
  EXPECT_EQ(suspicious.headline, "NO-GO: repair: FAILED: too much differs");
  EXPECT_THAT(suspicious.next,
              AllOf(HasSubstr("[repair] most"), HasSubstr("cutover copy --restart --run-dir R/database")));
}

TEST(RunVerdict, SaysWhatIsNext) {
  const auto interrupted = verdict_of(a_move(true), {step("repair", kIncomplete)}, kAgain);
  EXPECT_THAT(interrupted.next, StartsWith("go on with: cutover run"));
  const auto checked = verdict_of(a_move(true), {step("check", kDifferent)}, kAgain);
  EXPECT_THAT(checked.next, HasSubstr("if the application has not moved, cutover run --again"));
  const auto moved = verdict_of(a_move(true), {step("repair", kEqual), step("check", kDifferent)}, kAgain);
  EXPECT_THAT(moved.next, StartsWith("mend what is listed"));
}

TEST(RunVerdict, OfAStepWithoutAResultIsAFailure) {
  const auto silent = outcome_of({"upload", {"upload"}}, {kEqual, {}});
  EXPECT_FALSE(silent.passed());
  const auto verdict = verdict_of(a_move(true), {silent}, kAgain);
  EXPECT_EQ(verdict.exit_code, kFailed);
  EXPECT_EQ(verdict.headline, "NO-GO: upload: FAILED: it gave no result");
  EXPECT_TRUE(outcome_of({"plan", {"plan"}}, {kEqual, {{"READY", Json{{"exit_code", 0}}}}}).passed());
}

TEST(RunVerdict, OfTheNightIsThatOfTheCheck) {
  const auto go = verdict_of(
      a_move(true),
      {step("check", kEqual, "GO: 7 checks passed", check_json({{.kind = "http", .name = "x"}}, {}, ""))},
      kAgain);
  EXPECT_EQ(go.name, "go");
  EXPECT_EQ(go.exit_code, kEqual);
  auto stopped_otherwise = a_move(true);
  stopped_otherwise.fence = false;
  const auto document = check_json(
      {{.kind = "fence", .name = "app", .exit_code = kWaived, .problem = "the source still accepts writes"}},
      {}, "");
  const auto waived =
      verdict_of(stopped_otherwise, {step("check", kWaived, "GO WITH WAIVERS: …", document)}, kAgain);
  EXPECT_EQ(waived.exit_code, kWaived);
  EXPECT_THAT(waived.waivers,
              ElementsAre("fence app: the source still accepts writes", HasSubstr("fence = false")));
  const auto no =
      check_json({{.kind = "database", .name = "app", .exit_code = kDifferent, .problem = "rows differ"},
                  {.kind = "tcp", .name = "redis", .exit_code = kDifferent, .problem = "refused"}},
                 {}, "");
  const auto no_go = verdict_of(a_move(true), {step("check", kDifferent, "NO-GO: …", no)}, kAgain);
  EXPECT_EQ(no_go.exit_code, kDifferent);
  EXPECT_THAT(no_go.reasons, ElementsAre("database app: rows differ", "tcp redis: refused"));
  EXPECT_THAT(no_go.headline, StartsWith("NO-GO: check: database app: rows differ"));
}

TEST(CheckReport, NamesEveryDatabaseAndWhatIsLeftOut) {
  auto first = comparison();
  first["source"]["database"] = "auth";
  first["skipped"] = {{{"object", "table audit.log"}, {"message", "left out by --exclude"}},
                      {{"object", "owners"}, {"message", "not compared: --no-owners"}}};
  auto second = comparison();
  second["source"]["database"] = "web";
  second["tables"] = {{{"name", "public.events"}, {"condition", " at > '2025-01-01'"}}};
  const auto report = check_json({{.kind = "database", .name = "auth"}, {.kind = "database", .name = "web"}},
                                 {first, second}, "cutover check");
  EXPECT_EQ(report.at("moment"),
            "as of 2026-01-31T22:00:00.000Z, source snapshot 740:740: at LSN 0/16B of auth, source snapshot "
            "740:740: at LSN 0/16B of web");
  EXPECT_THAT(section_text(check_section(report), false),
              AllOf(HasSubstr("left out"),
                    HasSubstr("database auth: 2 things\n    table audit.log: left out by --exclude\n"
                              "    owners: not compared: --no-owners\n"),
                    HasSubstr("database web: of public.events the rows without at > '2025-01-01'")));
}

TEST(CheckReport, SaysWhatAPartialGoIsAbout) {
  const CheckScope scope{{"the smoke tests"}, {"the databases", "the uploads"}};
  const auto report = check_json({{.kind = "http", .name = "a"}}, {}, "cutover check --only smoke", scope);
  EXPECT_EQ(report.at("parts_left_out").size(), 2U);
  EXPECT_THAT(section_text(check_section(report), false),
              AllOf(StartsWith("GO for the smoke tests alone: 1 check passed\n"),
                    HasSubstr("not part of the verdict:\n  the databases: left out by --only\n")));
  const auto whole = check_json({{.kind = "http", .name = "a"}}, {}, "cutover check", {.parts = scope.parts});
  EXPECT_EQ(check_section(whole).headline, "GO: 1 check passed");
  EXPECT_FALSE(whole.at("unfenced").get<bool>());
  const auto waived = check_json(
      {{.kind = "fence", .name = "app", .exit_code = kWaived, .problem = "no fence", .unfenced = true}}, {},
      "", scope);
  EXPECT_TRUE(waived.at("unfenced").get<bool>());
  EXPECT_EQ(check_section(waived).headline,
            "GO WITH WAIVERS for the smoke tests alone: fence app: no fence; 0 checks passed");
}

TEST(CheckReport, NamesObjectsWithoutAFile) {
  const Json upload{
      {"command", "upload"},
      {"bucket", "s3://b/x"},
      {"walked", {{"files", 3}, {"filtered", 2}}},
      {"verification", {{"extra", 1}}},
      {"problems", {{{"kind", "note"}, {"path", "a.pdf"}, {"what", "is an object without a file"}}}}};
  const auto report = check_json({{.kind = "upload", .name = "s3://b/x"}}, {upload}, "cutover check");
  auto section = check_section(report);
  ASSERT_EQ(section.lists.size(), 1U);
  EXPECT_EQ(section.lists[0].items[0].text, "upload s3://b/x: 2 files, 1 object without a file");
  EXPECT_THAT(section.lists[0].items[0].details, ElementsAre("a.pdf: is an object without a file"));
}

TEST(CheckReport, NamesWhatMentionsNothing) {
  const Json upload{{"command", "upload"},
                    {"bucket", "s3://b/x"},
                    {"references", {{"mentioned", 3}, {"silent", {"documents.file_path"}}}}};
  const auto report = check_json({{.kind = "upload", .name = "s3://b/x"}}, {upload}, "cutover check");
  EXPECT_EQ(report.at("exit_code"), kEqual);
  const auto section = check_section(report);
  ASSERT_EQ(section.lists.size(), 1U);
  EXPECT_EQ(section.lists[0].items[0].text,
            "upload s3://b/x: what documents.file_path mentions, which is nothing");
}

TEST(CheckReport, SaysTheFirstReasonAndCountsTheRest) {
  const auto report =
      check_json({{.kind = "http", .name = "a"},
                  {.kind = "tcp", .name = "b", .exit_code = kFailed, .problem = "unknown"},
                  {.kind = "sql", .name = "c", .exit_code = kDifferent, .problem = "not true"}},
                 {}, "cutover check");
  EXPECT_EQ(report.at("exit_code"), kFailed);
  const auto section = check_section(report);
  EXPECT_EQ(section.headline, "NO-GO: tcp b: unknown");
  EXPECT_THAT(section_text(section, false),
              AllOf(StartsWith("NO-GO: tcp b: unknown\n\nchecks:\n"), HasSubstr("  ok         http  a"),
                    HasSubstr("  unchecked  tcp   b"), HasSubstr("  failed     sql   c")));
}

}  // namespace
}  // namespace cli
