#include "cli/report.h"

#include <chrono>

#include "base/format.h"
#include "cli/errors.h"
#include "cli/host.h"

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

}  // namespace

Json report_header(const ReportContext& context, std::string_view verdict, int exit_code) {
  return {{"version", 1},
          {"tool_version", CUTOVER_VERSION},
          {"host", host_json()},
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

Json report_json(const copy::Outcome& outcome, const ReportContext& context) {
  auto out = report_header(context, verdict_of(outcome.exit_code, context.command), outcome.exit_code);
  out.update(Json{{"already_finished", outcome.already_finished},
                  {"finished_at", outcome.finished_at},
                  {"run_id", outcome.run_id},
                  {"source", outcome.source},
                  {"target", outcome.target},
                  {"source_version", outcome.source_version},
                  {"target_version", outcome.target_version},
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
                  {"copy_cpu_seconds", base::seconds_of(outcome.copy_cpu)},
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
