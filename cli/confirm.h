#pragma once

#include "cli/commands.h"
#include "copy/engine.h"

namespace cli {

/// Asks at the terminal; "yes" or "y" is a yes. With `yes`, every question is answered so and only logged.
/// Without a terminal a question is Error{usage} that tells to add --yes. A stop while waiting is
/// Error{cancelled}.
copy::Confirm confirmation(const Invocation& invocation, bool yes);

}  // namespace cli
