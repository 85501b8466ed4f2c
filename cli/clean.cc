#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/confirm.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/run_report.h"
#include "cli/run_status.h"
#include "cli/run_steps.h"
#include "cli/subcommand.h"
#include "cli/text.h"
#include "cli/upload_run.h"
#include "copy/engine.h"
#include "s3/upload_run.h"

namespace cli {

namespace {

/// The root of a `cutover run`: each command below it is cleaned by its own run directory, then what the run
/// itself has kept goes.
int clean_root(const Invocation& invocation, const RunOptions& options) {
  const auto& root = options.copy.run_dir;
  const base::DirectoryLock lock(root);
  int exit_code = kEqual;
  const auto clean = [&](const std::filesystem::path& directory) {
    std::vector<std::string> arguments{"clean", "--run-dir", directory.string()};
    if (options.yes) arguments.emplace_back("--yes");
    const auto outcome =
        run_command(invocation, with_typed(std::move(arguments), invocation), invocation.print);
    exit_code = worse(exit_code, outcome.exit_code);
  };
  if (std::filesystem::exists(database_dir(root))) clean(database_dir(root));
  for (const auto& directory : run_directories_if_any(root))
    if (s3::is_upload_run(directory)) clean(directory);
  if (exit_code == kEqual && remove_run_root(root))
    invocation.print(fmt::format("removed {}\n", root.string()));
  return exit_code;
}

}  // namespace

Run set_up_clean(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Removes what a run left behind: the ledger (schema cutover) on the target and the run directory. The "
      "copied data "
      "stays. A run that is not finished is only cleaned when you say so, since it cannot be resumed "
      "afterwards; another directory's is never cleaned with --yes; foreign keys and triggers that it has "
      "put aside come back first. Of an upload's run "
      "directory "
      "(no --target is needed) the multipart uploads that it has begun are aborted, and the objects stay; "
      "AWS_PROFILE and AWS_REGION count. Of the directory of a `cutover run` everything below it is cleaned. "
      "A fence at the source stays (cutover fence off).");
  set.example("after the switch",
              "cutover clean --target postgres://app@new.example/app --run-dir cutover-run");
  set.example("without being asked", "cutover clean --yes");
  set.example("an upload", "cutover clean --run-dir cutover-upload");
  set.group("Connections and state");
  add_target_option(set, *options);
  add_run_dir_option(set, options->copy);
  add_databases_option(set, *options);
  add_yes_option(set, *options);
  return [options](const Invocation& invocation) {
    if (is_run_root(options->copy.run_dir)) return clean_root(invocation, *options);
    if (s3::is_upload_run(options->copy.run_dir)) {
      invocation.print(clean_upload(invocation, options->copy.run_dir, options->yes));
      return kEqual;
    }
    require_target(options->copy);
    return for_each_database(invocation, *options, [&](const copy::Options& database) -> DatabaseResult {
      const auto report =
          copy::clean(database, confirmation(invocation, options->yes), options->yes, invocation.stop);
      std::string out;
      for (const auto& done : report.done) out += sanitized_line(done) + "\n";
      invocation.print(report.done.empty() ? "nothing to clean\n" : out);
      return {0, report.done.empty() ? "nothing to clean" : "cleaned", {}};
    });
  };
}

}  // namespace cli
