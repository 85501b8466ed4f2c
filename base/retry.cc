#include "base/retry.h"

#include "base/jitter.h"

namespace base {

void Backoff::pause_or_rethrow(const Error& error, const Stop& stop, const RetryNotice& notice) {
  if (error.kind() != ErrorKind::transient) throw;
  const auto now = std::chrono::steady_clock::now();
  if (tries_ == 0) first_failure_ = now;
  if (now - first_failure_ >= policy_.give_up_after) throw;
  ++tries_;
  if (notice) notice(error, tries_);
  stop.sleep_for(jittered_pause(policy_.first_pause, policy_.longest_pause, tries_));
}

}  // namespace base
