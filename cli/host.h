#pragma once

#include "cli/log.h"

namespace cli {

/// What this machine is, for a result: {"system": "Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64",
/// "cores": 2}. Its name is not part of it.
Json host_json();

}  // namespace cli
