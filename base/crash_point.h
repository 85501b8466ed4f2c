#pragma once

#include <string_view>

namespace base {

/// A named place where a test can kill this process with SIGKILL: CUTOVER_CRASH_AT=NAME or NAME:N (the Nth
/// time it is passed, from 1). Compiled to nothing without CUTOVER_CRASH_POINTS (release builds).
#ifdef CUTOVER_CRASH_POINTS
void crash_point(std::string_view name);
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace base
