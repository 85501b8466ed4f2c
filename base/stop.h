#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

namespace base {

/// How late who waits for something else may notice a stop.
inline constexpr std::chrono::milliseconds kStopCheck{100};

/// A request to stop that can be waited for beside sockets. A std::stop_token alone cannot wake poll();
/// this adds a descriptor that becomes readable, and stays so, once the stop was requested.
/// Copies share one state. Thread-safe.
class Stop {
 public:
  /// A stop nobody has requested yet.
  Stop();
  /// A child: stops when `parent` stops; stopping the child leaves the parent alone.
  static Stop child_of(const Stop& parent);

  /// Async-signal-safe is *not* promised; a signal handler uses cli/signals.
  void request() const;
  bool requested() const;
  /// Throws Error{cancelled} when a stop was requested.
  void check() const;
  /// Readable once stopped. Never read from it.
  int descriptor() const;
  std::stop_token token() const;
  /// Sleeps, or throws Error{cancelled} as soon as a stop is requested.
  void sleep_for(std::chrono::milliseconds duration) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace base
