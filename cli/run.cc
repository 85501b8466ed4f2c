#include <memory>
#include <optional>
#include <stop_token>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/check_steps.h"
#include "cli/commands.h"
#include "cli/connection_options.h"
#include "cli/copy_options.h"
#include "cli/engine_run.h"
#include "cli/errors.h"
#include "cli/live_server.h"
#include "cli/live_view.h"
#include "cli/option_values.h"
#include "cli/report_section.h"
#include "cli/run_report.h"
#include "cli/run_result.h"
#include "cli/run_state.h"
#include "cli/run_status.h"
#include "cli/run_steps.h"
#include "cli/run_timeline.h"
#include "cli/run_verdict.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace cli {
namespace {

using base::Error;
using base::ErrorKind;

struct MoveOptions {
  RunOptions run;  ///< of which: source, target, run_dir, databases, yes, json
  bool final = false;
  bool fence = true;
  bool end_sessions = false;
  bool again = false;
  std::string serve;  ///< HOST:PORT, or nothing
};

Move declared_move(const Invocation& invocation, const MoveOptions& options) {
  Move move;
  move.root = options.run.copy.run_dir;
  // What an earlier run has moved is not left out because a variable is missing now.
  move.databases = !options.run.copy.source.parameters().empty() ||
                   !options.run.copy.target.parameters().empty() || !options.run.databases.empty() ||
                   has_moved_databases(move.root);
  if (move.databases) require_both(options.run.copy, options.run.databases);
  move.uploads = declared_uploads(invocation.globals);
  const auto declared = [&](std::string_view command, std::string_view option) {
    return is_declared(invocation.globals, command, option);
  };
  move.smoke_tests = declared("check", "--http") || declared("check", "--tcp") || declared("check", "--sql");
  for (const auto* flag : {"--strong", "--server-side"})
    if (declared("verify", flag)) move.verify_plainly.push_back(std::string(flag) + "=false");
  if (declared("verify", "--recheck")) move.verify_plainly.emplace_back("--recheck=0");
  if (declared("verify", "--resume")) move.verify_plainly.emplace_back("--resume=");
  move.final = options.final;
  move.fence = options.fence;
  move.end_sessions = options.end_sessions;
  move.yes = options.run.yes;
  move.again = options.again;
  require_one_meaning(commands_of(move));
  if (!move.databases && move.uploads.empty())
    throw Error(ErrorKind::usage, "there is nothing to move",
                "declare source and target, or uploads, in cutover.toml: cutover config template shows how");
  return move;
}

/// Only its own directory, so that nobody's run is mixed with another's.
void prepare_root(const std::filesystem::path& root) {
  if (is_run_directory(root))
    throw Error(ErrorKind::usage,
                fmt::format("{} is the run directory of one command, not of a `cutover run`", root.string()),
                "name another directory with --run-dir");
  std::filesystem::create_directories(root);
}

/// A copy would make what the application writes to the other databases look as if nobody did.
void refuse_to_copy_after_a_go(const Move& move, const MoveState& state) {
  if (!move.databases || !state.went || state.copied || move.final) return;
  throw Error(ErrorKind::usage,
              fmt::format("a check in {} has said GO, and not every database is copied: nothing is changed",
                          move.root.string()),
              "move what is new by a run of its own, with another --run-dir; or, if the application has not "
              "moved: cutover run --final --again");
}

/// Keeps the results that no run directory below the root has.
void keep_check(const std::filesystem::path& root, const CommandOutcome& outcome) {
  for (const auto& result : outcome.results)
    if (result.document.value("command", "") == "check") keep_report(root, result.document, kCheckReportFile);
}

/// Of the night, too, and of what its check is made of: what is wrong with an option is found in the
/// rehearsal, not behind the fence.
void require_understood_steps(const Invocation& invocation, const Move& move, const MoveState& state) {
  auto night = move;
  night.final = night.again = true;
  for (const auto* one : {&move, static_cast<const Move*>(&night)})
    for (const auto& step : steps_of(*one, state))
      base::during("step " + step.name, [&] { require_understood(invocation, step.arguments); });
  for (const auto& arguments : commands_of_check(move.databases, move.uploads))
    base::during("step check: " + arguments.front(), [&] { require_understood(invocation, arguments); });
}

class MoveRun {
 public:
  MoveRun(const Invocation& invocation, const MoveOptions& options, const Move& move)
      : invocation_(invocation),
        move_(move),
        shows_(!options.run.json && !invocation.globals.quiet),
        timeline_(move, invocation.again) {
    invocation_.of_run = true;
  }

  Verdict run(const std::vector<MoveStep>& steps) {
    std::vector<StepOutcome> done;
    for (const auto& step : steps) {
      done.push_back(take(step));
      if (!done.back().passed()) break;
    }
    auto verdict = verdict_of(move_, done, invocation_.again);
    timeline_.conclude(verdict);
    base::crash_point("run_verdict.after");
    return verdict;
  }

 private:
  StepOutcome take(const MoveStep& declared) {
    MoveStep step{declared.name, with_typed(declared.arguments, invocation_)};
    timeline_.begin(step);
    base::crash_point("run_step.before");
    const auto command = to_type(step.arguments);
    spdlog::info("step {}: {}", step.name, command);
    if (shows_) invocation_.print(fmt::format("== {}: {} ==\n", step.name, sanitized_line(command)));
    std::string said;
    auto result = run_command(invocation_, step.arguments, [&said](std::string_view text) { said += text; });
    base::crash_point("run_step.done");
    const bool has_passed = result.exit_code == kEqual || result.exit_code == kWaived;
    if (invocation_.stop.requested() && !has_passed) result.exit_code = kIncomplete;
    auto done = outcome_of(std::move(step), std::move(result));
    timeline_.end(done);
    keep_check(move_.root, done.outcome);
    // Not before: whoever has read a GO may have switched, and the next run must know.
    if (shows_) invocation_.print(said + "\n");
    base::crash_point("run_step.after");
    return done;
  }

  Invocation invocation_;  // of the steps
  const Move& move_;
  bool shows_;
  Timeline timeline_;
};

/// The result on standard output, and what the root keeps of it.
void show_result(const Invocation& invocation, const MoveOptions& options, const Move& move) {
  const auto document = keep_run_result(move.root);
  invocation.print(options.run.json ? json_text(document, 2) + "\n"
                                    : section_text(run_section(document), wants_colours(STDOUT_FILENO)));
}

int run_move(const Invocation& invocation, const MoveOptions& options) {
  if (!options.final && (options.end_sessions || options.again))
    throw Error(ErrorKind::usage, "--end-sessions and --again belong to --final", "leave them out");
  const auto move = declared_move(invocation, options);
  prepare_root(move.root);
  const base::DirectoryLock lock(move.root);
  require_all_that_was_moved(move, options.run.databases);
  const auto state = read_move_state(move, options.run.databases);
  refuse_to_copy_after_a_go(move, state);
  const auto steps = steps_of(move, state);
  require_understood_steps(invocation, move, state);
  if (state.went && move.final && !move.again)
    spdlog::info("the last check said GO: nothing is changed any more, unless --again is given");
  // What is wrong with the address is found before anything is changed.
  std::optional<LiveServer> server;
  if (!options.serve.empty()) server.emplace(options.serve, [&move] { return live_view(move.root); });
  MoveRun run(invocation, options, move);
  const auto verdict = run.run(steps);
  show_result(invocation, options, move);
  if (server && !invocation.stop.requested()) server->bid_farewell();
  return verdict.exit_code;
}

void add_move_options(OptionSet& set, MoveOptions& options) {
  set.group("The move");
  set.flag("--final",
           "the night, when nobody writes any more: raise the fence at the source, bring over what has "
           "changed, and check everything",
           options.final)
      .not_in_file();
  set.value("--fence", "true|false",
            "false: the writers are stopped by other means; that is a waiver of the verdict", "true",
            [&options](const std::string& text) { options.fence = parse_bool(text); });
  set.flag("--end-sessions", "with --final: end the sessions that can still write to the source",
           options.end_sessions)
      .not_in_file();
  set.flag(
         "--again",
         "with --final, after a GO: the application has not moved after all, and what the target has of its "
         "own may be deleted. Without it nothing is changed after a GO, only checked",
         options.again)
      .not_in_file();
  add_yes_option(set, options.run);
  set.group("Connections and state");
  add_source_option(set, options.run);
  add_target_option(set, options.run);
  add_run_dir_option(set, options.run.copy);
  add_databases_option(set, options.run);
  set.group("Result");
  set.value("--serve", "[HOST:]PORT",
            "show the run to browsers (/) and to Prometheus (/metrics) on this address of this machine while "
            "it goes on; a port alone is one of 127.0.0.1",
            "", [&options](const std::string& text) { options.serve = text; });
  set.flag("--report-json",
           "the result as JSON instead of text on standard output; it is in DIR/run-report.json anyway",
           options.run.json);
}

}  // namespace

Run set_up_run(OptionSet& set) {
  auto options = std::make_shared<MoveOptions>();
  set.describe(
      "Does the whole move that cutover.toml declares: plan, copy, upload, verify and smoke tests, each as "
      "the command of that name, whose options come from cutover.toml. It can be run while the application "
      "lives, and ends with READY and exit code 4. With --final, when the application is stopped, it raises "
      "the fence at the source, brings over what has changed since, and checks everything: GO and 0, GO WITH "
      "WAIVERS and 5, or NO-GO. A step that fails stops it; the same command goes on from there.");
  set.example("a rehearsal, which can be repeated", "cutover run");
  set.example("the night", "cutover run --final --end-sessions");
  set.example("in a container", "cutover run --final --yes --log-format json");
  add_move_options(set, *options);
  return [options](const Invocation& invocation) { return run_move(invocation, *options); };
}

}  // namespace cli
