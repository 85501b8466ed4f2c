#include "base/retry.h"

#include <random>

namespace base {

void Backoff::pause_or_rethrow(const Error& error, const Stop& stop, const RetryNotice& notice) {
  if (error.kind() != ErrorKind::transient) throw;
  const auto now = std::chrono::steady_clock::now();
  if (tries_ == 0) first_failure_ = now;
  if (now - first_failure_ >= policy_.give_up_after) throw;
  auto pause = policy_.longest_pause;
  if (tries_ < 16) pause = std::min(pause, policy_.first_pause * (1 << tries_));
  ++tries_;
  if (notice) notice(error, tries_);
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<long> jitter(pause.count() / 2, pause.count());
  stop.sleep_for(std::chrono::milliseconds(jitter(random)));
}

}  // namespace base
