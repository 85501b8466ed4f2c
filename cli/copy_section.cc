#include "cli/copy_section.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/report_chart.h"
#include "cli/text.h"

namespace cli {
namespace {

std::string bytes_text(const Json& report) { return base::human_bytes(report.value("bytes", uint64_t{0})); }

std::string amounts(const Json& report) {
  return fmt::format("{}, {}, {}", amount(report, "relations", "table"), amount(report, "rows", "row"),
                     bytes_text(report));
}

uint64_t problems_of_kind(const Json& report, std::string_view kind) {
  return static_cast<uint64_t>(
      std::ranges::count_if(report.value("problems", Json::array()),
                            [&](const Json& problem) { return problem.value("kind", "") == kind; }));
}

bool is_export(const Json& report) { return report.value("command", "") == "export"; }

std::string resumed_text(const Json& report) {
  const auto resumed = report.value("resumed", "");
  if (resumed.empty() && report.value("chunks_before", uint64_t{0}) == 0) return {};
  return fmt::format("{}{} of {} done before", resumed.empty() ? "" : resumed + "; ",
                     amount(report, "chunks_before"), amount(report, "chunks", "chunk"));
}

std::string finished_text(const Json& report) {
  const auto at = report.value("finished_at", "");
  return at.empty() ? at : " at " + at;
}

std::string run_text(const Json& report) {
  const auto id = report.value("run_id", "");
  const auto directory = report.value("run_dir", "");
  return id.empty() || directory.empty() ? id : fmt::format("{} in {}", id, directory);
}

/// A line for each reason, since it may be that of ten thousand tables.
ReportList skipped_list(const Json& findings) {
  constexpr size_t kMostNamed = 8;
  std::map<std::string, std::vector<std::string>> objects;
  for (const auto& finding : findings)
    if (finding.value("severity", "") == "skipped")
      objects[finding.at("message").get<std::string>()].push_back(finding.at("object").get<std::string>());
  ReportList out{.title = "not copied"};
  for (auto& [reason, names] : objects) {
    const auto more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
    if (more > 0) names.resize(kMostNamed);
    out.items.push_back(
        {fmt::format("{}{}: {}", fmt::join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", base::human_count(more)) : "", reason)});
  }
  return out;
}

std::string copy_next_step(const Json& report) {
  const auto directory = shell_quoted(report.value("run_dir", ""));
  const auto again = report.value("again", "");
  switch (report.at("exit_code").get<int>()) {
    case kEqual:
      if (is_export(report)) return fmt::format("cutover import --archive {} --target …", directory);
      return fmt::format(
          "it is a copy of that moment: before the switch, stop the writers and compare both sides with "
          "cutover verify; after it, `cutover clean --run-dir {}` drops the ledger",
          directory);
    case kDifferent:
      return fmt::format("find out what else writes to the target, then start over: {} --restart", again);
    case kIncomplete:
      if (is_export(report)) return fmt::format("start over: {} --restart", again);
      return fmt::format("resume with: {}", again);
    default:
      return fmt::format("mend what is listed above, then run the same command again: {}", again);
  }
}

}  // namespace

std::string copy_line(const Json& report) {
  const auto verdict = base::upper_case(report.at("verdict").get<std::string>());
  const auto took = duration_text(report.value("elapsed_seconds", Json(0.0)));
  if (report.value("already_finished", false))
    return fmt::format(
        "{}: {} copied by an earlier run, {}{}; nothing was done now, `cutover verify` compares again",
        verdict, amounts(report),
        report.at("exit_code") == kEqual ? "equal when it was finished" : "which was finished",
        finished_text(report));
  switch (report.at("exit_code").get<int>()) {
    case kEqual:
      return fmt::format("{}: {}{} in {}", verdict, amounts(report),
                         is_export(report) ? "" : " copied and proven", took);
    case kDifferent:
      return fmt::format("{}: {} between source and target; {} of {} equal, after {}", verdict,
                         counted(problems_of_kind(report, "difference"), "difference"),
                         amount(report, "proven"), amount(report, "relations", "table"), took);
    case kIncomplete:
      return fmt::format("{}: stopped after {}, {}, {} in {}; nothing is lost", verdict,
                         amount(report, "chunks", "chunk"), amount(report, "rows", "row"), bytes_text(report),
                         took);
    default:
      return fmt::format("{}: {} could not be done or checked; {} of {} proven equal, after {}", verdict,
                         counted(problems_of_kind(report, "failed"), "thing"), amount(report, "proven"),
                         amount(report, "relations", "table"), took);
  }
}

ReportSection copy_section(const Json& report) {
  ReportSection out;
  out.headline = copy_line(report);
  out.tone = tone_of(report.at("exit_code").get<int>());
  add_fact(out, "source", report.value("source", ""));
  add_fact(out, "target", report.value("target", ""));
  add_fact(out, "resumed", resumed_text(report));
  const auto lsn = report.value("lsn", "");
  add_fact(out, "snapshot", report.value("snapshot", "") + (lsn.empty() ? "" : " at LSN " + lsn));
  if (report.value("copy_seconds", 0.0) > 0)
    add_fact(out, "copied", "rows in " + duration_text(report.value("copy_seconds", Json(0.0))));
  add_fact(out, "run", run_text(report));
  add_list(out, problem_list(report, "difference", "different", Tone::bad));
  add_list(out, problem_list(report, "failed", "failed", Tone::bad));
  add_list(out, problem_list(report, "note", "notes", Tone::plain));
  const auto findings = report.value("findings", Json::array());
  auto warnings = Json::array();
  for (const auto& finding : findings)
    if (const auto severity = finding.value("severity", ""); severity == "warning" || severity == "blocker")
      warnings.push_back(finding);
  add_list(out, remark_list(warnings, "to look at"));
  add_list(out, skipped_list(findings));
  add_throughput(out, report, "rows");
  out.next = copy_next_step(report);
  return out;
}

}  // namespace cli
