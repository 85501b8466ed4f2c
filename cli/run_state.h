#pragma once

#include <vector>

#include "cli/option_values.h"
#include "cli/run_steps.h"

namespace cli {

/// Looks into the run directories below the root. `databases`: of --databases, empty for the one of the URLs.
MoveState read_move_state(const Move& move, const std::vector<DatabasePair>& databases);

/// What was moved below the root is a part of every verdict about it: throws Error{usage} for a database or
/// an upload that has a run there and is not declared now. `databases` as above.
void require_all_that_was_moved(const Move& move, const std::vector<DatabasePair>& databases);

}  // namespace cli
