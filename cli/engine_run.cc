#include "cli/engine_run.h"

#include <optional>
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
#include "cli/run_result.h"
#include "cli/run_status.h"
#include "cli/throughput.h"
#include "copy/run_dir.h"

namespace cli {
namespace {

void announce_stop(const std::string& command) {
  if (command == "export") {
    spdlog::warn("stopping; an export must be started over (again to quit at once)");
  } else {
    spdlog::warn("stopping cleanly; run the same command again to resume (again to quit at once)");
  }
}

/// A finished run has a result of its own in the directory: when it was made, what it took, what it noted.
bool has_result_of(const std::filesystem::path& run_dir, const std::string& run_id, int exit_code) {
  const auto kept = read_result_if_exists(run_dir / "report.json");
  return kept.is_object() && kept.value("run_id", "") == run_id && kept.value("exit_code", -1) == exit_code;
}

bool has_result_of_finished(const std::filesystem::path& run_dir) {
  try {
    if (!is_run_directory(run_dir)) return false;
    const auto state = copy::RunDir::peek(run_dir);
    return state.finished && has_result_of(run_dir, state.run_id, *state.finished);
  } catch (const base::Error&) {
    return false;  // what is damaged is not taken for finished
  }
}

/// A call that was refused, interrupted, or did not reach a server says nothing of what an earlier one has
/// copied. One that has looked, and not found it as it was, does.
bool says_nothing_of_the_copy(const base::Error& error) {
  using base::ErrorKind;
  return error.kind() == ErrorKind::usage || error.kind() == ErrorKind::transient ||
         error.kind() == ErrorKind::cancelled;
}

}  // namespace

void keep_report(const std::filesystem::path& run_dir, const Json& report, const std::string& name) {
  keep_text(run_dir, json_text(report, 2) + "\n", name);
}

void keep_text(const std::filesystem::path& run_dir, const std::string& text, const std::string& name) {
  if (!base::was_locked_here(run_dir)) return;
  try {
    base::replace_file(run_dir / name, text);
  } catch (const base::Error& error) {
    spdlog::warn("{} was not kept: {}", name, error.what());
  }
}

DatabaseResult run_engine(const Invocation& invocation, const RunOptions& options,
                          const copy::Options& database, const std::string& command,
                          const std::filesystem::path& run_dir, const EngineCall& call) {
  refuse_run_root(run_dir);
  std::optional<RunResultAside> by_hand;
  if (!invocation.of_run) by_hand.emplace(run_dir);
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
    // Nothing was done since that would be worth another result.
    if (!outcome.already_finished || !has_result_of(run_dir, outcome.run_id, outcome.exit_code))
      keep_report(run_dir, report);
    if (!options.json) invocation.print(section_text(copy_section(report), wants_colours(STDOUT_FILENO)));
    return {outcome.exit_code, copy_line(report), std::move(report)};
  } catch (const base::Error& error) {
    if (!says_nothing_of_the_copy(error) || !has_result_of_finished(run_dir))
      keep_report(run_dir, error_report(error, exit_code_of(error), context));
    throw;
  }
}

}  // namespace cli
