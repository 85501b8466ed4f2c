#include "cli/report.h"

#include <gmock/gmock.h>

#include "cli/copy_section.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/plan_report.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const ReportContext kCopy{"copy", "cutover-run", "cutover copy --source … --target …"};

copy::Outcome outcome(int exit_code) {
  copy::Outcome out;
  out.exit_code = exit_code;
  out.run_id = "3c2ebf730cc2b4b9";
  out.source = "postgres://app@old/app";
  out.target = "postgres://app@new/app";
  out.snapshot = "780:780:";
  out.lsn = "0/26DEE9E0";
  out.relations = 11;
  out.rows = 15'607;
  out.bytes = 1'200'000;
  out.chunks = 12;
  out.proven = 11;
  out.elapsed = std::chrono::milliseconds(1400);
  return out;
}

std::string line_of(const copy::Outcome& outcome, const ReportContext& context) {
  return copy_line(report_json(outcome, context));
}

std::string text_of(const copy::Outcome& outcome, const ReportContext& context) {
  return section_text(copy_section(report_json(outcome, context)), false);
}

TEST(Report, TheVerdictComesFirst) {
  EXPECT_EQ(line_of(outcome(0), kCopy), "EQUAL: 11 tables, 15,607 rows, 1.2 MB copied and proven in 1.4 s");
  EXPECT_EQ(line_of(outcome(4), kCopy),
            "INCOMPLETE: stopped after 12 chunks, 15,607 rows, 1.2 MB in 1.4 s; nothing is lost");
  auto different = outcome(1);
  different.proven = 10;
  different.problems.push_back({copy::Problem::Kind::difference, "public.orders", "differs", ""});
  EXPECT_EQ(line_of(different, kCopy),
            "DIFFERENT: 1 difference between source and target; 10 of 11 tables equal, after 1.4 s");
  auto failed = outcome(3);
  failed.problems.push_back({copy::Problem::Kind::failed, "index public.i", "could not be built", ""});
  failed.problems.push_back({copy::Problem::Kind::note, "public.x", "was skipped", ""});
  EXPECT_THAT(line_of(failed, kCopy), StartsWith("FAILED: 1 thing could not be done"));
  EXPECT_EQ(line_of(outcome(0), {"export", "ar", ""}), "EXPORTED: 11 tables, 15,607 rows, 1.2 MB in 1.4 s");
  auto before = outcome(0);
  before.already_finished = true;
  before.finished_at = "2026-11-22T23:05:00Z";
  EXPECT_EQ(line_of(before, kCopy),
            "EQUAL: 11 tables, 15,607 rows, 1.2 MB copied by an earlier run, equal when it was finished at "
            "2026-11-22T23:05:00Z; nothing was done now, `cutover verify` compares again");
}

TEST(Report, AnUnknownExitCodeIsAFailure) { EXPECT_THAT(line_of(outcome(77), kCopy), StartsWith("FAILED")); }

TEST(Report, TellsHowItResumedAndWhatIsNext) {
  auto result = outcome(4);
  result.chunks_before = 5;
  result.resumed = "nothing was committed at the source since";
  const auto text = text_of(result, kCopy);
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("resumed   nothing was committed at the source since; 5 of 12 chunks done before"),
            HasSubstr("snapshot  780:780: at LSN 0/26DEE9E0"),
            HasSubstr("next: resume with: cutover copy --source … --target …")));
  EXPECT_THAT(text_of(outcome(0), kCopy), HasSubstr("cutover clean --run-dir cutover-run"));
}

TEST(Report, ListsProblemsByKindWithoutControlCharacters) {
  auto result = outcome(3);
  result.problems = {{copy::Problem::Kind::failed, "index public.i", "server said \x1b[2J\nboom", "drop it"},
                     {copy::Problem::Kind::difference, "public.orders", "2 rows differ", ""}};
  const auto text = text_of(result, kCopy);
  EXPECT_THAT(text,
              AllOf(HasSubstr("\nfailed:\n  index public.i: server said [2J boom\n    hint: drop it\n"),
                    HasSubstr("\ndifferent:\n  public.orders: 2 rows differ\n"), Not(HasSubstr("\x1b"))));
}

TEST(Report, JsonHasAVersionAndEverything) {
  auto result = outcome(1);
  result.problems = {{copy::Problem::Kind::difference, "public.orders", "bad bytes \xff", ""}};
  result.findings = {{copy::Severity::warning, "role x", "is missing", "CREATE ROLE x"}};
  const auto json = Json::parse(json_text(report_json(result, kCopy)));
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("verdict"), "different");
  EXPECT_EQ(json.at("exit_code"), 1);
  EXPECT_EQ(json.at("rows"), 15'607);
  EXPECT_EQ(json.at("problems").at(0).at("kind"), "difference");
  EXPECT_EQ(json.at("findings").at(0).at("severity"), "warning");
}

TEST(Report, NamesWhatWasNotCopiedByReason) {
  auto result = outcome(0);
  result.findings = {{copy::Severity::skipped, "schema cron", "it belongs to the provider", ""},
                     {copy::Severity::info, "foreign key f", "is NOT VALID at the source and stays so", ""},
                     {copy::Severity::skipped, "schema neon", "it belongs to the provider", ""}};
  for (int i = 0; i < 1010; ++i)
    result.findings.push_back(
        {copy::Severity::skipped, "table t" + std::to_string(i), "left out by --exclude", ""});
  EXPECT_THAT(
      text_of(result, kCopy),
      AllOf(HasSubstr("\nnot copied:\n  schema cron, schema neon: it belongs to the provider\n"),
            HasSubstr("table t7 and 1,002 more: left out by --exclude\n"), Not(HasSubstr("NOT VALID"))));
}

TEST(Report, AnErrorIsAReportToo) {
  const auto json = error_report({base::ErrorKind::corrupt, "journal.0: damaged", "restore it"}, 3, kCopy);
  EXPECT_EQ(json.at("verdict"), "failed");
  EXPECT_EQ(json.at("error").at("kind"), "corrupt");
}

TEST(ExitCodes, TheWorstWins) {
  EXPECT_EQ(worse(0, 4), 4);
  EXPECT_EQ(worse(4, 2), 2);
  EXPECT_EQ(worse(2, 1), 1);
  EXPECT_EQ(worse(1, 3), 3);
  EXPECT_EQ(worse(3, 0), 3);
  EXPECT_EQ(worse(0, 0), 0);
}

TEST(ExitCodes, FollowTheKindOfError) {
  EXPECT_EQ(exit_code_of({base::ErrorKind::usage, ""}), 2);
  EXPECT_EQ(exit_code_of({base::ErrorKind::cancelled, ""}), 4);
  for (const auto kind : {base::ErrorKind::transient, base::ErrorKind::permanent, base::ErrorKind::in_doubt,
                          base::ErrorKind::corrupt})
    EXPECT_EQ(exit_code_of({kind, ""}), 3);
}

TEST(PlanReport, GroupsFindingsAndShowsTheLargestTables) {
  copy::PlanReport report;
  report.plan.source_version = "15.18";
  for (int i = 0; i < 20; ++i) {
    copy::Relation relation;
    relation.name = {"public", "t" + std::to_string(i)};
    relation.bytes = static_cast<uint64_t>(i) * 1'000'000;
    relation.row_estimate = i == 19 ? -1 : 1000;
    if (i == 3) relation.shape.format = pg::CopyFormat::text;
    report.plan.relations.push_back(relation);
  }
  report.findings = {{copy::Severity::info, "schema x", "is left out", ""},
                     {copy::Severity::blocker, "role app", "does not exist", "CREATE ROLE app"}};
  copy::Options options;
  options.source = pg::Conninfo::parse("postgres://app:sEcret@old/app");
  options.target = pg::Conninfo::parse("postgres://app:sEcret@new/app");
  report.target_version = "16.14";
  const auto text = plan_text(report, options, false);
  EXPECT_THAT(text, HasSubstr("postgres://app@new/app, PostgreSQL 16.14\n"));
  EXPECT_THAT(text, AllOf(StartsWith("BLOCKED: 1 blocker"), HasSubstr("19 in binary, 1 in text: public.t3"),
                          HasSubstr("public.t19    19.0 MB               ?"),
                          HasSubstr("and 5 smaller tables with 10.0 MB"),
                          HasSubstr("blockers:\n  role app: does not exist\n    fix: CREATE ROLE app\n"),
                          HasSubstr("notes:\n  schema x: is left out\n"), Not(HasSubstr("sEcret"))));
  const auto json = plan_json(report, options);
  EXPECT_TRUE(json.at("blocked"));
  EXPECT_EQ(json.at("tables").size(), 20U);
  EXPECT_TRUE(json.at("tables").at(0).at("row_estimate").is_null());
}

TEST(Databases, EachHasItsOwnPlaces) {
  copy::Options options;
  options.source = pg::Conninfo::parse("postgres://app@old/app");
  options.target = pg::Conninfo::parse("postgres://app@new/app");
  options.archive = "ar";
  const auto one = options_for(options, {"web", "www"});
  EXPECT_EQ(one.source.redacted(), "postgres://app@old/web");
  EXPECT_EQ(one.target.redacted(), "postgres://app@new/www");
  EXPECT_EQ(one.run_dir, "cutover-run/web");
  EXPECT_EQ(*one.archive, "ar/web");
  EXPECT_EQ(options_for(options, {"../x", "x"}).run_dir, "cutover-run/%2E.%2Fx");
}

}  // namespace
}  // namespace cli
