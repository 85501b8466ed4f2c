#pragma once

#include <chrono>
#include <string>

#include "base/stop.h"

namespace base {

/// Opens a TCP connection and closes it again: is somebody there? Tries every address of the host. Throws
/// Error{transient} that names the address when nobody answers within `timeout` (looking the name up comes on
/// top), Error{cancelled} on a stop.
void try_connection(const std::string& host, const std::string& port, std::chrono::milliseconds timeout,
                    const Stop& stop);

}  // namespace base
