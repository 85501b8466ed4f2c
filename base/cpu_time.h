#pragma once

#include <chrono>

namespace base {

/// Processor time, of the user's and the system's side, that the calling thread has taken so far.
std::chrono::nanoseconds thread_cpu_time();

}  // namespace base
