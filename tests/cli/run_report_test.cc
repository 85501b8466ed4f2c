#include "cli/run_report.h"

#include <gmock/gmock.h>

#include "cli/report_environment.h"
#include "cli/report_page.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Json kHost{{"system", "Debian, Linux 6.1 x86_64"}, {"cores", 2}};

Json run_of(bool final, const std::vector<std::string>& steps) {
  Json out{{"version", 1},     {"tool_version", "1.2"},    {"host", kHost},
           {"command", "run"}, {"verdict", "go"},          {"exit_code", 0},
           {"final", final},   {"headline", "GO: all"},    {"reasons", Json::array()},
           {"next", ""},       {"waivers", Json::array()}, {"steps", Json::array()}};
  for (const auto& name : steps)
    out["steps"].push_back({{"name", name},
                            {"command", "cutover " + name},
                            {"started", "2026-01-31T23:59:59.123Z"},
                            {"seconds", 1.5},
                            {"exit_code", 0},
                            {"headline", "DONE: it"}});
  return out;
}

std::vector<std::string> texts_of(const ReportList& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items) out.push_back(item.text);
  return out;
}

std::vector<std::string> way_back_of(const Json& report) {
  for (const auto& list : run_section(report).lists)
    if (list.title == "the way back") return texts_of(list);
  return {};
}

TEST(RunSection, SaysTheWayBack) {
  EXPECT_THAT(way_back_of(run_of(false, {"copy"})),
              ElementsAre(StartsWith("no fence was raised"), StartsWith("what stays")));
  EXPECT_THAT(way_back_of(run_of(true, {"copy", "fence", "check"})),
              ElementsAre(HasSubstr("cutover fence off"), HasSubstr("on the target alone"),
                          HasSubstr("--again"), StartsWith("what stays")));
  const auto section = run_section(run_of(true, {"fence"}));
  EXPECT_THAT(report_page(std::array{section}), HasSubstr("<h3 class=\"plain\">the way back</h3>"));
  EXPECT_THAT(section_text(section, false), Not(HasSubstr("the way back")));
}

TEST(Environment, NamesEachProgramServerAndBucketOnce) {
  auto run = run_of(true, {});
  const Json copy{{"version", 1},         {"tool_version", "1.2"}, {"host", kHost},
                  {"command", "copy"},    {"exit_code", 0},        {"verdict", "equal"},
                  {"source", "pg://old"}, {"target", "pg://new"},  {"source_version", "15.18"},
                  {"target_version", ""}};
  const Json verify{{"version", 1},
                    {"tool_version", "1.3"},
                    {"host", kHost},
                    {"command", "verify"},
                    {"source", {{"database", "pg://old"}, {"version", "15.18"}}},
                    {"target", {{"database", "pg://new"}, {"version", "17.2"}}}};
  const Json upload{
      {"command", "upload"}, {"bucket", "s3://b/files"}, {"endpoint", "aws"}, {"region", "eu-central-1"}};
  run["documents"] = {{{"command", "check"}, {"documents", {verify, upload}}}, copy};
  EXPECT_THAT(
      texts_of(environment_of(run)),
      ElementsAre("cutover 1.2 on Debian, Linux 6.1 x86_64, 2 cores",
                  "cutover 1.3 on Debian, Linux 6.1 x86_64, 2 cores", "source pg://old: PostgreSQL 15.18",
                  "target pg://new: PostgreSQL 17.2", "s3://b/files: Amazon S3, region eu-central-1"));
  run.erase("documents");
  const auto section = sections_of(run, "test").front();
  EXPECT_EQ(section.lists.back().title, "environment");
}

}  // namespace
}  // namespace cli
