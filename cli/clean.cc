#include <memory>

#include <fmt/format.h>

#include "cli/confirm.h"
#include "cli/connection_options.h"
#include "cli/databases.h"
#include "cli/output.h"
#include "cli/text.h"
#include "copy/engine.h"

namespace cli {

Run set_up_clean(OptionSet& set) {
  auto options = std::make_shared<RunOptions>();
  set.describe(
      "Removes what a run left behind: the ledger (schema cutover) on the target and the run directory. The "
      "copied data "
      "stays. A run that is not finished is only cleaned when you say so, since it cannot be resumed "
      "afterwards; foreign keys and triggers that it has put aside come back first.");
  set.example("after the switch",
              "cutover clean --target postgres://app@new.example/app --run-dir cutover-run");
  set.example("without being asked", "cutover clean --yes");
  set.group("Connections and state");
  add_target_option(set, *options);
  add_run_dir_option(set, options->copy);
  add_databases_option(set, *options);
  add_yes_option(set, *options);
  return [options](const Invocation& invocation) {
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
