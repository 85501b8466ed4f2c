#include "cli/report_page.h"

#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/verify_report.h"

namespace cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using verify::Outcome;
using verify::RowDifference;
using verify::State;

verify::TableResult table(const std::string& name, State state) {
  verify::TableResult out;
  out.name = name;
  out.kind = "table";
  out.state = state;
  out.columns = {"id", "note"};
  out.key = {"id"};
  return out;
}

Outcome tables(size_t count, State state) {
  Outcome out;
  out.source = {"postgres://app@old/db", "15.18", {"1", 5, "10:10:", "0/1"}, false};
  out.target = {"postgres://app@new/db", "17.2", {"2", 6, "20:20:", "0/2"}, false};
  for (size_t i = 0; i < count; ++i) out.tables.push_back(table(fmt::format("public.t{}", i), state));
  return out;
}

std::string page_of(const Outcome& outcome) {
  return report_page(std::array{section_of(verify_json(outcome, {}), "test")});
}

size_t count_of(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

TEST(ReportPage, SaysTheVerdictAndNamesEveryTable) {
  const auto page = page_of(tables(2000, State::equal));
  EXPECT_THAT(page, HasSubstr("<b>EQUAL</b>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"plain\">public.t1999</td>"));
  EXPECT_THAT(page, HasSubstr("tables (2,000)"));
}

TEST(ReportPage, OfThousandsOfEqualTablesHasThemAll) {
  const auto page = page_of(tables(2000, State::equal));
  EXPECT_EQ(count_of(page, "<td class=\"good\">equal</td>"), 2000U);
  EXPECT_EQ(count_of(page, "class=\"bad\""), 0U);
  EXPECT_THAT(page, Not(HasSubstr(", in the JSON document")));
  EXPECT_LT(page.size(), 1'000'000U);
}

TEST(ReportPage, OfNothingAtAllIsAPageToo) {
  const auto page = page_of(tables(0, State::equal));
  EXPECT_THAT(page, HasSubstr("<b>EQUAL</b><span> 0 tables, 0 rows"));
  EXPECT_THAT(page, Not(HasSubstr("<table")));
}

TEST(ReportPage, OfTenThousandRowsThatDifferShowsHalfAndCountsTheRest) {
  auto outcome = tables(1, State::different);
  auto& rows = outcome.tables[0].rows.emplace();
  for (int i = 0; i < 10'000; ++i)
    rows.rows.push_back({RowDifference::Kind::changed, {std::to_string(i)}, {"note"}, 1, 1, {}, {}});
  rows.changed = 10'000;
  const auto document = verify_json(outcome, {});
  EXPECT_EQ(document.at("tables").at(0).at("rows").at("first").size(), 10'000U);
  const auto page = report_page(std::array{section_of(document, "test")});
  EXPECT_THAT(page, HasSubstr("10,000 changed"));
  EXPECT_EQ(count_of(page, "changed    id="), kMostRowsOnPage);
  EXPECT_THAT(page, HasSubstr("changed    id=4999: note\n"));
  EXPECT_THAT(page, HasSubstr("and 5,000 more, in the JSON document"));
}

TEST(ReportPage, OfTenThousandDefinitionsThatDifferShowsSomeAndCountsTheRest) {
  auto outcome = tables(1, State::equal);
  auto& catalog = outcome.catalog.emplace();
  for (int i = 0; i < 10'000; ++i)
    catalog.differences.push_back({"index", fmt::format("public.i{}", i), "", "present", std::nullopt, 0});
  const auto document = verify_json(outcome, {});
  EXPECT_EQ(document.at("catalog").at("differences").size(), 10'000U);
  const auto page = report_page(std::array{section_of(document, "test")});
  EXPECT_THAT(page, HasSubstr("1 of 1 table equal, 10,000 differences"));
  EXPECT_THAT(page, HasSubstr("definitions differ (10,000)"));
  EXPECT_EQ(count_of(page, "<li>index public.i"), kMostOnPage);
  EXPECT_THAT(page, HasSubstr("and 7,000 more, in the JSON document"));
}

// What the figures depend on beside the data.
TEST(ReportPage, NamesSettingsAndWhatWasNotSelected) {
  auto outcome = tables(1, State::equal);
  outcome.source.settings = {{"TimeZone", "UTC"}, {"search_path", ""}, {"jit", "off"}};
  outcome.target.settings = {{"TimeZone", "UTC"}, {"search_path", ""}, {"jit", "<on>"}};
  outcome.catalog.emplace().excluded = {{"table", "audit.log"}, {"column", "audit.log.id"}};
  const auto document = verify_json(outcome, {.again = "cutover verify --exclude audit"});
  EXPECT_EQ(document.at("target").at("settings").at("TimeZone"), "UTC");
  EXPECT_EQ(document.at("catalog").at("excluded"), 2);
  EXPECT_EQ(document.at("catalog").at("excluded_objects").at(1),
            (Json{{"kind", "table"}, {"object", "audit.log"}}));
  const auto section = section_of(document, "test");
  const auto page = report_page(std::array{section});
  for (const auto* line :
       {"command: cutover verify --exclude audit", "level digests, hash XXH3-128", "TimeZone = &#39;UTC&#39;",
        "search_path = &#39;&#39;", "jit = &#39;off&#39; at the source",
        "jit = &#39;&lt;on&gt;&#39; at the target", "table audit.log", "definitions not selected (2)"})
    EXPECT_THAT(page, HasSubstr(fmt::format("{}<", line))) << line;
  EXPECT_THAT(section_text(section, false), Not(HasSubstr("TimeZone")));
}

TEST(ReportPage, LoadsNothingAndRunsNothing) {
  const auto page = page_of(tables(1, State::equal));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const auto* what : {"<script", "<link", "<img", "src=", "url(", "@import", "http://", "https://"})
    EXPECT_THAT(page, Not(HasSubstr(what))) << what;
}

TEST(ReportPage, EscapesWhatTheServersSay) {
  auto outcome = tables(1, State::different);
  outcome.tables[0].name = "public.\"<b onload='x'>&\x1b[31m\"";
  outcome.tables[0].rows.emplace().rows.push_back(
      {RowDifference::Kind::missing, {"<script>\xe2\x80\xae"}, {}, 1, 0, {}, {}});
  outcome.tables[0].rows->missing = 1;
  outcome.differences.push_back({"sequence <i>s</i>", "is & behind", "\"quoted\""});
  const auto page = page_of(outcome);
  for (const auto* what : {"<b onload", "<script", "<i>s", "\x1b", "\xe2\x80\xae", "is & behind"})
    EXPECT_THAT(page, Not(HasSubstr(what))) << what;
  EXPECT_THAT(page, HasSubstr("&lt;b onload=&#39;x&#39;&gt;&amp;"));
  EXPECT_THAT(page, HasSubstr("hint: &quot;quoted&quot;"));
}

TEST(ReportPage, IsBoundedWhateverTheResult) {
  auto outcome = tables(2 * kMostOnPage, State::different);
  for (auto& one : outcome.tables) {
    auto& rows = one.rows.emplace();
    for (int i = 0; i < 20; ++i)
      rows.rows.push_back({RowDifference::Kind::missing, {std::to_string(i)}, {}, 1, 0, {}, {}});
    rows.missing = 10'000;
  }
  const auto page = page_of(outcome);
  EXPECT_EQ(count_of(page, "missing    id="), kMostRowsOnPage);
  EXPECT_EQ(count_of(page, "<td class=\"bad\">different</td>"), kMostOnPage);
  EXPECT_THAT(page, HasSubstr("and 3,000 more, in the JSON document"));
}

TEST(ReportPage, WhatDiffersComesFirst) {
  auto outcome = tables(3, State::equal);
  outcome.tables[2].state = State::different;
  const auto page = page_of(outcome);
  EXPECT_LT(page.find("<td class=\"plain\">public.t2"), page.find("<td class=\"plain\">public.t0"));
}

TEST(ReportSections, HoldEveryCommandsResult) {
  const Json copy{
      {"version", 1},
      {"command", "copy"},
      {"verdict", "failed"},
      {"exit_code", 3},
      {"relations", 2},
      {"problems",
       Json::array({{{"kind", "failed"}, {"object", "index i"}, {"message", "no room"}, {"hint", "buy"}}})}};
  const auto section = section_of(copy, "x");
  EXPECT_THAT(section_text(section, false), HasSubstr("failed:\n  index i: no room\n    hint: buy\n"));
  const Json failed{{"version", 1},
                    {"command", "verify"},
                    {"verdict", "incomplete"},
                    {"exit_code", 4},
                    {"error", {{"kind", "cancelled"}, {"message", "stopped"}, {"hint", ""}}}};
  EXPECT_EQ(section_of(failed, "x").headline, "INCOMPLETE: stopped");
  const Json files{
      {"version", 1},
      {"command", "verify"},
      {"verdict", "different"},
      {"exit_code", 1},
      {"walked", {{"files", 2}, {"bytes", 10}}},
      {"verification", {{"level", "download"}, {"missing", 1}}},
      {"problems", Json::array({{{"kind", "different"}, {"path", "a/b"}, {"what", "is missing"}}})}};
  EXPECT_THAT(section_text(section_of(files, "x"), false), HasSubstr("different:\n  a/b: is missing\n"));
  const auto page = report_page(std::array{section, section_of(failed, "x")});
  EXPECT_THAT(page, HasSubstr("<a href=\"#s1\">Comparison</a>"));
}

TEST(ReportSections, RefuseWhatIsNoResult) {
  for (const auto& document :
       {Json::object(), Json::array(), Json{{"version", 2}, {"command", "verify"}},
        Json{{"version", 1}, {"command", "dance"}}, Json{{"version", 1}, {"command", "verify"}}}) {
    try {
      section_of(document, "x.json");
      ADD_FAILURE() << document.dump();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::usage);
      EXPECT_THAT(error.message(), HasSubstr("x.json is not a result that can be shown"));
    }
  }
}

}  // namespace
}  // namespace cli
