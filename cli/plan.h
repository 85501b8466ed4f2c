#pragma once

#include "cli/commands.h"
#include "cli/copy_options.h"

namespace cli {

/// What `plan` does, and `copy --dry-run`.
int show_plan(const Invocation& invocation, const RunOptions& options);

}  // namespace cli
