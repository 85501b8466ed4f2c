#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/error.h"
#include "base/stop.h"

namespace base {

/// How long something that fails with Error{transient} is tried again.
struct RetryPolicy {
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{10'000};
  /// Counted from the first failure of an unbroken series; once it is over, the error stands.
  std::chrono::milliseconds give_up_after{300'000};
};

/// Hears of a failure that will be tried again, before the pause; `tries` counts the failures so far.
using RetryNotice = std::function<void(const Error&, int tries)>;

/// Pauses between tries: at random, up to what doubles from first_pause to longest_pause (full jitter).
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(policy) {}
  /// Sleeps before the next try, or rethrows the exception in flight when the time is over or the error is
  /// not transient. Call it from a catch block. Throws Error{cancelled} on a stop.
  void pause_or_rethrow(const Error& error, const Stop& stop, const RetryNotice& notice = {});
  int tries() const { return tries_; }
  /// So long nothing was tried: it does not count.
  void waited(std::chrono::steady_clock::duration time) { first_failure_ += time; }

 private:
  RetryPolicy policy_;
  int tries_ = 0;
  std::chrono::steady_clock::time_point first_failure_{};
};

/// Calls `body` until it returns; only Error{transient} is tried again. `notice` hears of every retry.
template <typename Body>
auto retry(const RetryPolicy& policy, const Stop& stop, const RetryNotice& notice, Body&& body) {
  Backoff backoff(policy);
  for (;;) {
    try {
      return body();
    } catch (const Error& error) {
      backoff.pause_or_rethrow(error, stop, notice);
    }
  }
}

}  // namespace base
