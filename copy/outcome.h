#pragma once

#include "copy/engine.h"
#include "copy/run_state.h"

namespace copy {

/// What a run's state and plan tell of its result; the rest of the Outcome is left as it is.
Outcome outcome_of(const RunState& state, const Plan& plan);

/// The exit code of a run that came to its end. Not checked is never equal: with a target, every unit must
/// have been read back and found equal; one that was not is added to the problems.
int verdict(const RunState& state, const Plan& plan, Problems& problems, bool has_target);

}  // namespace copy
