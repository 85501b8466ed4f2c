#pragma once

#include <vector>

#include "cli/option_values.h"
#include "cli/run_steps.h"

namespace cli {

/// Looks into the run directories below the root. `databases`: of --databases, empty for the one of the URLs.
MoveState read_move_state(const Move& move, const std::vector<DatabasePair>& databases);

}  // namespace cli
