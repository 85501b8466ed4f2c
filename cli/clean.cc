#include <memory>

#include <fmt/format.h>

#include "cli/confirm.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/errors.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/upload_run.h"
#include "copy/engine.h"
#include "s3/upload_run.h"

namespace cli {

Run set_up_clean(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Removes what a run left behind: the ledger (schema cutover) on the target and the run directory. The "
      "copied data "
      "stays. A run that is not finished is only cleaned when you say so, since it cannot be resumed "
      "afterwards; foreign keys and triggers that it has put aside come back first. Of an upload's run "
      "directory "
      "(no --target is needed) the multipart uploads that it has begun are aborted, and the objects stay; "
      "AWS_PROFILE and AWS_REGION count.");
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
    if (s3::is_upload_run(options->copy.run_dir)) {
      print(clean_upload(invocation, options->copy.run_dir, options->yes));
      return kEqual;
    }
    require_target(options->copy);
    return for_each_database(invocation, *options, [&](const copy::Options& database) -> DatabaseResult {
      const auto report = copy::clean(database, confirmation(invocation, options->yes), invocation.stop);
      std::string out;
      for (const auto& done : report.done) out += sanitized_line(done) + "\n";
      print(report.done.empty() ? "nothing to clean\n" : out);
      return {0, report.done.empty() ? "nothing to clean" : "cleaned", {}};
    });
  };
}

}  // namespace cli
