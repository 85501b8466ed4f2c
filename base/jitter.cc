#include "base/jitter.h"

#include <algorithm>
#include <random>

namespace base {

std::chrono::milliseconds jittered_pause(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                         int failures) {
  constexpr int kMostDoublings = 16;
  const auto most = std::min(longest, first * (1 << std::clamp(failures - 1, 0, kMostDoublings)));
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<long> jitter(0, most.count());
  return std::chrono::milliseconds(jitter(random));
}

}  // namespace base
