#pragma once

#include <chrono>

namespace base {

/// The pause after so many failures: at random anything up to what doubles from `first` to `longest`, so that
/// those who failed together do not come again together.
std::chrono::milliseconds jittered_pause(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                         int failures);

}  // namespace base
