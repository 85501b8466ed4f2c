#include "cli/check_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/report.h"
#include "cli/text.h"
#include "cli/verify_section.h"

namespace cli {
namespace {

std::string_view state_of(int exit_code) {
  switch (exit_code) {
    case kEqual:
      return "ok";
    case kWaived:
      return "waived";
    case kDifferent:
      return "failed";
    default:
      return "unchecked";
  }
}

Tone tone_of_check(std::string_view state) {
  if (state == "ok") return Tone::good;
  return state == "failed" ? Tone::bad : Tone::unsure;
}

std::string_view verdict_of_check(int exit_code) {
  if (exit_code == kEqual) return "go";
  return exit_code == kWaived ? "go-with-waivers" : "no-go";
}

std::string said(const CheckResult& result, const std::string& problem) {
  return fmt::format("{} {}: {}", result.kind, result.name, problem);
}

/// Of the comparisons: what the verdict is about. Nothing without one.
std::string moment_of_comparison(const std::vector<Json>& documents) {
  const auto moment = moment_of(documents);
  const auto compared = std::ranges::find_if(
      documents, [](const Json& document) { return document.value("command", "") == "verify"; });
  return moment.empty() ? moment : fmt::format("as of {}, {}", compared->value("time", ""), moment);
}

constexpr size_t kMostLeftOutShown = 50;

/// Of a comparison: relations, owners, grants and rows that it was told not to look at.
void add_left_out_of_databases(const Json& document, std::vector<std::string>& parts, ReportItem& item) {
  for (const auto& remark : document.value("skipped", Json::array()))
    item.details.push_back(fmt::format("{}: {}", remark.value("object", ""), remark.value("message", "")));
  if (!item.details.empty()) parts.push_back(counted(item.details.size(), "thing"));
  for (const auto& table : document.value("tables", Json::array()))
    if (const auto condition = table.value("condition", ""); !condition.empty())
      parts.push_back(
          fmt::format("of {} the rows without {}", table.value("name", ""), base::trimmed(condition)));
}

/// Of an upload: files that it was told not to look at, and what is in the bucket without one.
void add_left_out_of_upload(const Json& document, std::vector<std::string>& parts, ReportItem& item) {
  if (const auto count = document.value("walked", Json::object()).value("filtered", uint64_t{0}); count > 0)
    parts.push_back(counted(count, "file"));
  if (const auto count = document.value("verification", Json::object()).value("extra", uint64_t{0});
      count > 0)
    parts.push_back(fmt::format("{} without a file", counted(count, "object")));
  if (const auto references = document.value("references", Json()); references.is_object())
    for (const auto& query : references.value("silent", std::vector<std::string>()))
      parts.push_back(fmt::format("what {} mentions, which is nothing", query));
  for (auto& note : problem_list(document, "note", {}, Tone::plain).items)
    item.details.push_back(std::move(note.text));
}

/// The check's verdict is not about it.
ReportItem left_out_of(const Json& document) {
  const bool is_upload = document.contains("bucket");
  ReportItem out;
  std::vector<std::string> parts;
  (is_upload ? add_left_out_of_upload : add_left_out_of_databases)(document, parts, out);
  if (parts.empty()) return {};
  const auto name = is_upload ? document.value("bucket", "")
                              : document.value("source", Json::object()).value("database", "");
  out.text = fmt::format("{} {}: {}", is_upload ? "upload" : "database", name, fmt::join(parts, ", "));
  if (const auto count = out.details.size(); count > kMostLeftOutShown) {
    out.details.resize(kMostLeftOutShown);
    out.remarks.push_back(fmt::format("and {} more", base::human_count(count - kMostLeftOutShown)));
  }
  return out;
}

/// " for the smoke tests alone"; nothing for a check of everything.
std::string scope_of(const Json& report) {
  const auto parts = report.value("parts", std::vector<std::string>());
  return parts.empty() ? std::string() : fmt::format(" for {} alone", fmt::join(parts, " and "));
}

std::string headline_of_check(const Json& report) {
  const auto passed =
      std::ranges::count_if(report.at("checks"), [](const Json& check) { return check.at("holds") == true; });
  const auto moment = report.value("moment", "");
  const auto summary = fmt::format("{} passed{}", counted(static_cast<uint64_t>(passed), "check"),
                                   moment.empty() ? "" : ", " + moment);
  switch (report.at("exit_code").get<int>()) {
    case kEqual:
      return fmt::format("GO{}: {}", scope_of(report), summary);
    case kWaived:
      return fmt::format("GO WITH WAIVERS{}: {}; {}", scope_of(report),
                         report.at("waivers").at(0).get<std::string>(), summary);
    default:
      return "NO-GO: " + report.at("reasons").at(0).get<std::string>();
  }
}

}  // namespace

Json check_json(const std::vector<CheckResult>& results, const std::vector<Json>& documents,
                const std::string& again, const CheckScope& scope) {
  int exit_code = kEqual;
  for (const auto& result : results) exit_code = worse(exit_code, result.exit_code);
  auto out = report_header({"check", "", again}, verdict_of_check(exit_code), exit_code);
  out["moment"] = moment_of_comparison(documents);
  out["reasons"] = Json::array();
  out["waivers"] = Json::array();
  if (!scope.left_out.empty()) out["parts"] = scope.parts;
  out["parts_left_out"] = scope.left_out;
  out["unfenced"] = std::ranges::any_of(results, &CheckResult::unfenced);
  out["checks"] = Json::array();
  for (const auto& result : results) {
    const auto state = state_of(result.exit_code);
    const bool holds_somehow = state == "ok" || state == "waived";
    if (!holds_somehow) out["reasons"].push_back(said(result, result.problem));
    if (state == "waived") out["waivers"].push_back(said(result, result.problem));
    for (const auto& waived : result.also_waived) out["waivers"].push_back(said(result, waived));
    out["checks"].push_back({{"kind", result.kind},
                             {"name", result.name},
                             {"holds", state == "ok"},
                             {"state", state},
                             {"problem", result.problem},
                             {"seconds", base::seconds_of(result.took)}});
  }
  out["documents"] = documents;
  return out;
}

ReportSection check_section(const Json& report) {
  ReportSection out;
  out.headline = headline_of_check(report);
  out.tone = tone_of(report.at("exit_code").get<int>());
  ReportTable table{
      .title = "checks",
      .columns = {{"result"}, {"kind"}, {"name"}, {"took", true}, {"what is wrong", false, true}},
      .rows = {},
      .state_column = 0,
      .in_text = true};
  for (const auto& check : report.at("checks")) {
    const auto state = check.at("state").get<std::string>();
    table.rows.push_back({tone_of_check(state),
                          {state, check.at("kind").get<std::string>(), check.at("name").get<std::string>(),
                           duration_text(check.at("seconds")), check.at("problem").get<std::string>()}});
  }
  out.tables.push_back(std::move(table));
  ReportList left_out{"left out, and so not part of the verdict", Tone::plain, {}};
  for (const auto& part : report.value("parts_left_out", std::vector<std::string>()))
    left_out.items.push_back({part + ": left out by --only"});
  for (const auto& document : report.value("documents", Json::array()))
    if (auto item = left_out_of(document); !item.text.empty()) left_out.items.push_back(std::move(item));
  add_list(out, std::move(left_out));
  if (report.at("exit_code") != kEqual && report.at("exit_code") != kWaived)
    out.next = "see to what failed, then look again: " + report.value("again", "");
  return out;
}

}  // namespace cli
