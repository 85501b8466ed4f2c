#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "base/guarded.h"
#include "base/stop.h"

namespace s3 {

/// How many transfers run at once, and how fast they go.
///
/// It begins with few, since more than the server or this machine can serve at once only cost time for taking
/// turns, and doubles them until that makes things slower by a tenth, in bytes and in finished transfers:
/// then it goes back to the number that was fastest. Each time it measures until every one could have
/// finished twice, and a quarter of a second at least. From then on the number grows by a quarter whenever a
/// window of two seconds was the fastest so far, as the first one is. "Slow down" halves it, and it does not
/// grow for ten seconds; then it grows back to what it was by a quarter each window, however fast that is,
/// until the server says so again. Thread-safe.
class Governor {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    unsigned start = 16;
    unsigned most = 64;
    uint64_t bytes_per_second = 0;  ///< 0: no limit
  };

  explicit Governor(const Limits& limits);

  /// Waits until the worker of this number, from 0 on, may transfer. It is always the same ones that do, so
  /// that no more connections are made than are used. After close() everybody may: whether there is
  /// something to do is not decided here.
  void admit(unsigned worker, const base::Stop& stop);
  /// There is nothing more to transfer: nobody need wait.
  void close();

  /// Room for a request, until it goes out of scope.
  class Turn {
   public:
    Turn() = default;  ///< none is needed
    explicit Turn(Governor& governor) : governor_(&governor) {}
    Turn(Turn&& other) noexcept : governor_(std::exchange(other.governor_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (governor_ != nullptr) governor_->leave();
    }

   private:
    Governor* governor_ = nullptr;
  };
  /// Waits while as many requests are under way as may be. Of the workers that have been admitted nobody
  /// does, unless their number was halved while all had something in hand: what they send again goes in
  /// turns.
  Turn turn(const base::Stop& stop);

  /// Waits until so many bytes may be sent.
  void pace(uint64_t bytes, const base::Stop& stop);
  /// So many bytes were accepted.
  void moved(uint64_t bytes, Clock::time_point now = Clock::now());
  void slow_down(Clock::time_point now = Clock::now());
  unsigned limit();

 private:
  void leave();
  /// The first one is that in which connections are made: it tells nothing.
  enum class Phase { connecting, doubling, steady };
  struct Shared {
    Phase phase = Phase::connecting;
    unsigned limit = 0;
    unsigned regain = 0;      // the limit before it was halved
    unsigned best_limit = 0;  // while doubling: the one that was fastest
    unsigned under_way = 0;   // requests
    unsigned waiting = 0;     // for their turn
    bool closed = false;
    Clock::time_point window;
    Clock::time_point hold_until;
    Clock::time_point line_free;  // when the next byte may go out
    uint64_t bytes = 0;           // in this window
    uint64_t transfers = 0;
    double best_bytes = 0;  // per second
    double best_transfers = 0;
  };
  /// What was moved since the window began is judged, and a new one begins.
  void judge(Shared& shared, Clock::time_point now) const;

  const Limits limits_;
  base::Guarded<Shared> shared_;
};

}  // namespace s3
