#include "s3/governor.h"

#include <algorithm>

namespace s3 {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstWindows{250};
constexpr seconds kWindow{2};
constexpr seconds kHold{10};
/// What counts as slower, by twice as many, and as faster, by a quarter more.
constexpr double kLoss = 0.9;
constexpr double kGain = 1.05;

}  // namespace

Governor::Governor(const Limits& limits) : limits_(limits) {
  auto shared = shared_.lock();
  shared->limit = std::clamp(limits.start, 1U, std::max(1U, limits.most));
  shared->window = shared->line_free = Clock::now();
}

void Governor::admit(unsigned worker, const base::Stop& stop) {
  auto shared = shared_.lock();
  while (!shared.wait_for(base::kStopCheck, [&] { return worker < shared->limit || shared->closed; }))
    stop.check();
}

void Governor::close() {
  shared_.lock()->closed = true;
  shared_.notify_all();
}

Governor::Turn Governor::turn(const base::Stop& stop) {
  auto shared = shared_.lock();
  while (shared->under_way >= shared->limit) {
    stop.check();
    ++shared->waiting;
    shared.wait_for(base::kStopCheck);
    --shared->waiting;
  }
  ++shared->under_way;
  return Turn(*this);
}

void Governor::leave() {
  bool is_awaited = false;
  {
    auto shared = shared_.lock();
    --shared->under_way;
    // Not for those who wait to be admitted: they would wake up for every request.
    is_awaited = shared->waiting > 0;
  }
  if (is_awaited) shared_.notify_all();
}

void Governor::pace(uint64_t bytes, const base::Stop& stop) {
  if (limits_.bytes_per_second == 0) return;
  Clock::time_point turn;
  {
    auto shared = shared_.lock();
    turn = std::max(shared->line_free, Clock::now());
    const duration<double> time(static_cast<double>(bytes) / static_cast<double>(limits_.bytes_per_second));
    shared->line_free = turn + std::chrono::duration_cast<Clock::duration>(time);
  }
  const auto wait = std::chrono::ceil<milliseconds>(turn - Clock::now());
  if (wait.count() > 0) stop.sleep_for(wait);
}

void Governor::moved(uint64_t bytes, Clock::time_point now) {
  auto shared = shared_.lock();
  shared->bytes += bytes;
  ++shared->transfers;
  const auto passed = now - shared->window;
  const bool is_over = shared->phase == Phase::steady
                           ? passed >= kWindow
                           : passed >= kFirstWindows && shared->transfers >= uint64_t{2} * shared->limit;
  if (!is_over) return;
  judge(*shared, now);
  shared_.notify_all();
}

void Governor::judge(Shared& shared, Clock::time_point now) const {
  const duration<double> passed = now - shared.window;
  const auto bytes_rate = static_cast<double>(shared.bytes) / passed.count();
  const auto transfer_rate = static_cast<double>(shared.transfers) / passed.count();
  shared.window = now;
  shared.bytes = shared.transfers = 0;
  // What few do while the server wants it slow must not become what more have to surpass.
  if (now < shared.hold_until) return;
  if (shared.phase == Phase::connecting) {
    shared.phase = Phase::doubling;
    return;
  }
  const unsigned most = std::max(1U, limits_.most);
  const auto is_faster_by = [&](double factor) {
    return bytes_rate > shared.best_bytes * factor || transfer_rate > shared.best_transfers * factor;
  };
  const bool is_slower = !is_faster_by(kLoss);
  const bool gains = is_faster_by(kGain);
  if (is_faster_by(1)) shared.best_limit = shared.limit;
  shared.best_bytes = std::max(shared.best_bytes, bytes_rate);
  shared.best_transfers = std::max(shared.best_transfers, transfer_rate);
  if (shared.phase == Phase::steady) {
    if (shared.limit < shared.regain || gains)
      shared.limit = std::min(most, shared.limit + std::max(1U, shared.limit / 4));
  } else if (shared.limit < most && !is_slower) {
    shared.limit = std::min(most, 2 * shared.limit);
  } else {
    if (is_slower) shared.limit = shared.best_limit;
    // The rates of such short windows are no measure for longer ones.
    shared.phase = Phase::steady;
    shared.best_bytes = shared.best_transfers = 0;
  }
}

void Governor::slow_down(Clock::time_point now) {
  auto shared = shared_.lock();
  // Those that were on their way together all hear it: it counts once.
  if (now < shared->hold_until - kHold + seconds(1)) return;
  shared->regain = std::max(shared->regain, shared->limit);
  shared->limit = std::max(1U, shared->limit / 2);
  shared->hold_until = now + kHold;
  shared->phase = Phase::steady;
  shared->best_bytes = shared->best_transfers = 0;
}

unsigned Governor::limit() { return shared_.lock()->limit; }

}  // namespace s3
