#include "cli/report.h"

#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/errors.h"
#include "cli/text.h"

namespace cli {
namespace {

std::string_view verdict_of(int exit_code, std::string_view command) {
  switch (exit_code) {
    case kEqual:
      return command == "export" ? "exported" : "equal";
    case kDifferent:
      return "different";
    case kIncomplete:
      return "incomplete";
    default:
      return "failed";
  }
}

std::string_view name_of(copy::Problem::Kind kind) {
  switch (kind) {
    case copy::Problem::Kind::note:
      return "note";
    case copy::Problem::Kind::failed:
      return "failed";
    case copy::Problem::Kind::difference:
      return "difference";
  }
  return "failed";
}

std::string amounts(const copy::Outcome& outcome) {
  return fmt::format("{}, {}, {}", counted(outcome.relations, "table"), counted(outcome.rows, "row"),
                     base::human_bytes(outcome.bytes));
}

void add_problems(std::string& out, const copy::Outcome& outcome, copy::Problem::Kind kind,
                  std::string_view title) {
  bool first = true;
  for (const auto& problem : outcome.problems) {
    if (problem.kind != kind) continue;
    if (first) out += fmt::format("\n{}:\n", title);
    first = false;
    out += fmt::format("  {}: {}\n", sanitized_line(problem.object), sanitized_line(problem.message));
    if (!problem.hint.empty()) out += fmt::format("    hint: {}\n", sanitized_line(problem.hint));
  }
}

void add_warnings(std::string& out, const copy::Outcome& outcome) {
  bool first = true;
  for (const auto& finding : outcome.findings) {
    if (finding.severity == copy::Severity::info) continue;
    if (first) out += "\nto look at:\n";
    first = false;
    out += fmt::format("  {}: {}\n", sanitized_line(finding.object), sanitized_line(finding.message));
    if (!finding.fix.empty()) out += fmt::format("    fix: {}\n", sanitized_line(finding.fix));
  }
}

std::string next_step(const copy::Outcome& outcome, const ReportContext& context) {
  switch (outcome.exit_code) {
    case kEqual:
      if (context.command == "export")
        return fmt::format("cutover import --archive {} --target …", shell_quoted(context.run_dir));
      return fmt::format(
          "it is a copy of that moment: before the switch, stop the writers and compare both sides with "
          "cutover verify; after it, `cutover clean --run-dir {}` drops the ledger",
          shell_quoted(context.run_dir));
    case kDifferent:
      return fmt::format("find out what else writes to the target, then start over: {} --restart",
                         context.again);
    case kIncomplete:
      if (context.command == "export") return fmt::format("start over: {} --restart", context.again);
      return fmt::format("resume with: {}", context.again);
    default:
      return fmt::format("mend what is listed above, then run the same command again: {}", context.again);
  }
}

}  // namespace

std::string styled_verdict(std::string_view line, int exit_code, bool colours) {
  const auto good = exit_code == kEqual || exit_code == kWaived;
  const auto style = good ? Style::green : exit_code == kIncomplete ? Style::yellow : Style::red;
  const auto colon = line.find(':');
  return styled(style, line.substr(0, colon), colours).append(line.substr(colon));
}

Json report_header(const ReportContext& context, std::string_view verdict, int exit_code) {
  return {{"version", 1},
          {"tool_version", CUTOVER_VERSION},
          {"time", base::utc_timestamp(std::chrono::system_clock::now())},
          {"command", context.command},
          {"run_dir", context.run_dir},
          {"again", context.again},
          {"verdict", verdict},
          {"exit_code", exit_code}};
}

Json error_json(const base::Error& error) {
  return {{"kind", base::to_string(error.kind())},
          {"message", error.message()},
          {"hint", error.hint()},
          {"sqlstate", error.sqlstate()}};
}

std::string verdict_line(const copy::Outcome& outcome, const ReportContext& context) {
  const auto took = base::human_duration(outcome.elapsed);
  const auto verdict = base::upper_case(verdict_of(outcome.exit_code, context.command));
  const auto failures =
      std::ranges::count(outcome.problems, copy::Problem::Kind::failed, &copy::Problem::kind);
  const auto differences =
      std::ranges::count(outcome.problems, copy::Problem::Kind::difference, &copy::Problem::kind);
  if (outcome.already_finished)
    return fmt::format("{}: {} copied by an earlier run; nothing was done now", verdict, amounts(outcome));
  switch (outcome.exit_code) {
    case kEqual:
      if (context.command == "export") return fmt::format("{}: {} in {}", verdict, amounts(outcome), took);
      return fmt::format("{}: {} copied and proven in {}", verdict, amounts(outcome), took);
    case kDifferent:
      return fmt::format("{}: {} between source and target; {} of {} equal, after {}", verdict,
                         counted(static_cast<uint64_t>(differences), "difference"),
                         base::human_count(outcome.proven), counted(outcome.relations, "table"), took);
    case kIncomplete:
      return fmt::format("{}: stopped after {}, {}, {} in {}; nothing is lost", verdict,
                         counted(outcome.chunks, "chunk"), counted(outcome.rows, "row"),
                         base::human_bytes(outcome.bytes), took);
    default:
      return fmt::format("{}: {} could not be done or checked; {} of {} proven equal, after {}", verdict,
                         counted(static_cast<uint64_t>(failures), "thing"), base::human_count(outcome.proven),
                         counted(outcome.relations, "table"), took);
  }
}

std::string report_text(const copy::Outcome& outcome, const ReportContext& context, bool colours) {
  auto out = styled_verdict(verdict_line(outcome, context), outcome.exit_code, colours) + "\n\n";
  add_fact(out, "source", outcome.source);
  add_fact(out, "target", outcome.target);
  if (outcome.chunks_before > 0 || !outcome.resumed.empty())
    add_fact(out, "resumed",
             fmt::format("{}{} of {} done before", outcome.resumed.empty() ? "" : outcome.resumed + "; ",
                         base::human_count(outcome.chunks_before), counted(outcome.chunks, "chunk")));
  add_fact(
      out, "snapshot",
      outcome.lsn.empty() ? outcome.snapshot : fmt::format("{} at LSN {}", outcome.snapshot, outcome.lsn));
  if (outcome.copy_elapsed.count() > 0)
    add_fact(out, "copied", "rows in " + base::human_duration(outcome.copy_elapsed));
  add_fact(out, "run", fmt::format("{} in {}", outcome.run_id, context.run_dir));
  add_problems(out, outcome, copy::Problem::Kind::difference, "different");
  add_problems(out, outcome, copy::Problem::Kind::failed, "failed");
  add_problems(out, outcome, copy::Problem::Kind::note, "notes");
  add_warnings(out, outcome);
  return out + fmt::format("\n{} {}\n", styled(Style::bold, "next:", colours), next_step(outcome, context));
}

Json report_json(const copy::Outcome& outcome, const ReportContext& context) {
  auto out = report_header(context, verdict_of(outcome.exit_code, context.command), outcome.exit_code);
  out.update(Json{{"already_finished", outcome.already_finished},
                  {"run_id", outcome.run_id},
                  {"source", outcome.source},
                  {"target", outcome.target},
                  {"snapshot", outcome.snapshot},
                  {"lsn", outcome.lsn},
                  {"resumed", outcome.resumed},
                  {"relations", outcome.relations},
                  {"rows", outcome.rows},
                  {"bytes", outcome.bytes},
                  {"chunks", outcome.chunks},
                  {"chunks_before", outcome.chunks_before},
                  {"proven", outcome.proven},
                  {"elapsed_seconds", base::seconds_of(outcome.elapsed)},
                  {"copy_seconds", base::seconds_of(outcome.copy_elapsed)},
                  {"problems", Json::array()},
                  {"findings", Json::array()}});
  for (const auto& problem : outcome.problems)
    out["problems"].push_back({{"kind", name_of(problem.kind)},
                               {"object", problem.object},
                               {"message", problem.message},
                               {"hint", problem.hint}});
  for (const auto& finding : outcome.findings)
    out["findings"].push_back({{"severity", copy::to_string(finding.severity)},
                               {"object", finding.object},
                               {"message", finding.message},
                               {"fix", finding.fix}});
  return out;
}

Json error_report(const base::Error& error, int exit_code, const ReportContext& context) {
  auto out = report_header(context, verdict_of(exit_code, context.command), exit_code);
  out["error"] = error_json(error);
  return out;
}

}  // namespace cli
