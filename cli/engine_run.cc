#include "cli/engine_run.h"

#include <stop_token>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/confirm.h"
#include "cli/copy_section.h"
#include "cli/errors.h"
#include "cli/kept_results.h"
#include "cli/progress_view.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "cli/status_file.h"
#include "cli/throughput.h"

namespace cli {
namespace {

void announce_stop(const std::string& command) {
  if (command == "export") {
    spdlog::warn("stopping; an export must be started over (again to quit at once)");
  } else {
    spdlog::warn("stopping cleanly; run the same command again to resume (again to quit at once)");
  }
}

/// A run that was found finished has a result of its own in the directory: when it was made, what it took,
/// what it noted. Nothing was done since that would be worth another one.
bool has_result_of(const std::filesystem::path& run_dir, const Json& report) {
  if (!report.value("already_finished", false)) return false;
  const auto kept = read_result_if_exists(run_dir / "report.json");
  return kept.is_object() && kept.value("run_id", "") == report.at("run_id") &&
         kept.value("exit_code", -1) == report.at("exit_code");
}

}  // namespace

void keep_report(const std::filesystem::path& run_dir, const Json& report, const std::string& name) {
  if (!owns_run_dir(run_dir)) return;
  try {
    base::replace_file(run_dir / name, json_text(report, 2) + "\n");
  } catch (const base::Error& error) {
    spdlog::warn("the report was not kept: {}", error.what());
  }
}

DatabaseResult run_engine(const Invocation& invocation, const RunOptions& options,
                          const copy::Options& database, const std::string& command,
                          const std::filesystem::path& run_dir, const EngineCall& call) {
  refuse_run_root(run_dir);
  const ReportContext context{command, run_dir.string(), invocation.again};
  const std::stop_callback announcement(invocation.stop.token(), [&command] { announce_stop(command); });
  try {
    Throughput throughput;
    const auto outcome = [&] {
      copy::Progress progress;
      const auto look = [&] {
        auto snapshot = progress.snapshot();
        throughput.add(copy::Progress::Clock::now() - snapshot.started, snapshot.bytes_copied,
                       snapshot.rows_copied);
        return snapshot;
      };
      const ProgressView view(look, invocation, run_dir, command);
      return call(database, progress, confirmation(invocation, options.yes), invocation.stop);
    }();
    auto report = report_json(outcome, context);
    report["throughput"] = throughput.json();
    if (!has_result_of(run_dir, report)) keep_report(run_dir, report);
    if (!options.json) invocation.print(section_text(copy_section(report), wants_colours(STDOUT_FILENO)));
    return {outcome.exit_code, copy_line(report), std::move(report)};
  } catch (const base::Error& error) {
    keep_report(run_dir, error_report(error, exit_code_of(error), context));
    throw;
  }
}

}  // namespace cli
