#include "cli/progress_meter.h"

#include <algorithm>

namespace cli {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kWindow{5};
// Before this, or with less than this done, an estimate would only jump around.
constexpr seconds kFirstEstimate{3};
constexpr double kLeastShare = 0.005;

double fraction_of(const copy::Progress::Snapshot& snapshot) {
  if (snapshot.phase == "done" ||
      (snapshot.chunks_total > 0 && snapshot.chunks_done >= snapshot.chunks_total))
    return 1;
  if (snapshot.bytes_total == 0)
    return snapshot.chunks_total == 0
               ? 0
               : static_cast<double>(snapshot.chunks_done) / static_cast<double>(snapshot.chunks_total);
  uint64_t moving = 0;
  for (const auto& activity : snapshot.activities)
    if (activity.what.starts_with("copy ") || activity.what.starts_with("read ")) moving += activity.bytes;
  const auto total = static_cast<double>(snapshot.bytes_total);
  const auto done = std::min(static_cast<double>(snapshot.bytes_expected_done), total);
  // COPY data may be larger than the relation: what is not done yet is never shown as 100%.
  return (done + std::min(static_cast<double>(moving), (total - done) * 0.99)) / total;
}

uint64_t per_second(uint64_t before, uint64_t after, duration<double> time) {
  if (time.count() <= 0 || after <= before) return 0;
  return static_cast<uint64_t>(static_cast<double>(after - before) / time.count());
}

}  // namespace

bool compares(std::string_view phase) { return phase == "compare" || phase == "rows"; }
bool moves_data(std::string_view phase) { return phase == "data" || phase == "compare"; }

void ProgressMeter::keep(const copy::Progress::Snapshot& snapshot, Clock::time_point now) {
  samples_.push_back({now, snapshot.bytes_copied, snapshot.rows_copied});
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow) samples_.pop_front();
}

Pace ProgressMeter::measure(const copy::Progress::Snapshot& snapshot, Clock::time_point now) {
  keep(snapshot, now);
  fraction_ = std::max(fraction_, fraction_of(snapshot));
  Pace pace;
  pace.fraction = fraction_;
  const auto& oldest = samples_.front();
  pace.bytes_per_second = per_second(oldest.bytes, snapshot.bytes_copied, now - oldest.time);
  pace.rows_per_second = per_second(oldest.rows, snapshot.rows_copied, now - oldest.time);
  if (!moves_data(snapshot.phase)) return pace;
  if (!fraction_at_start_) fraction_at_start_ = fraction_;
  const auto elapsed = now - snapshot.data_started;
  const double done = fraction_ - *fraction_at_start_;
  if (fraction_ < 1 && elapsed >= kFirstEstimate && done >= kLeastShare) {
    const duration<double, std::milli> left = (1 - fraction_) / done * duration<double, std::milli>(elapsed);
    pace.left = std::chrono::duration_cast<milliseconds>(left);
  }
  return pace;
}

}  // namespace cli
