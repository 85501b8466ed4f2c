#pragma once

#include <string>
#include <vector>

#include "cli/run_steps.h"
#include "cli/subcommand.h"

namespace cli {

/// What `cutover run` ends with.
struct Verdict {
  std::string name;  ///< "go", "go-with-waivers", "ready", "no-go", "incomplete"
  int exit_code = 0;
  std::string headline;
  std::vector<std::string> reasons = {};
  std::vector<std::string> waivers = {};
  std::string next = {};
};

/// A step that has come to its end.
struct StepOutcome {
  MoveStep step;
  CommandOutcome outcome;

  /// Nothing is in the way of the next step.
  bool passed() const;
};

/// A command that ended without a result has shown nothing: that is a failure, whatever its exit code says.
StepOutcome outcome_of(MoveStep step, CommandOutcome outcome);

/// Of the steps of this run, in their order; all of them are done unless the last one did not pass. `again`:
/// the command line. READY, which is no GO: everything is equal as of the copy, and the source accepts
/// writes.
Verdict verdict_of(const Move& move, const std::vector<StepOutcome>& done, const std::string& again);

}  // namespace cli
