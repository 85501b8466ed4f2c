#pragma once

#include <filesystem>

#include "cli/live_server.h"

namespace cli {

/// What a server shows of a run directory, or of the root of a `cutover run`: the timeline, what works now,
/// and the results so far. Throws Error{usage} when it is none.
LiveView live_view(const std::filesystem::path& directory);

}  // namespace cli
