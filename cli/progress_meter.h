#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "copy/progress.h"

namespace cli {

/// True in the phase of a comparison that reads both sides.
bool compares(std::string_view phase);
/// True in a phase that is measured in bytes.
bool moves_data(std::string_view phase);

/// How fast a run goes, and how long it will take.
struct Pace {
  double fraction = 0;            ///< of the data, 0 to 1; never falls
  uint64_t bytes_per_second = 0;  ///< of COPY data, over the last seconds
  uint64_t rows_per_second = 0;
  std::optional<std::chrono::milliseconds> left;  ///< of the data; none: too early to say
};

/// Turns snapshots into a pace.
///
/// The share that is done is counted in bytes of the source's relations, since only those are known in
/// advance: chunks that are done by what was expected of them, chunks in work by the COPY bytes they have
/// moved so far. The time that is left follows from what this process did of it since the data phase began: a
/// resumed run starts with a share that cost it nothing.
class ProgressMeter {
 public:
  using Clock = copy::Progress::Clock;
  Pace measure(const copy::Progress::Snapshot& snapshot, Clock::time_point now);

 private:
  struct Sample {
    Clock::time_point time;
    uint64_t bytes = 0;
    uint64_t rows = 0;
  };
  void keep(const copy::Progress::Snapshot& snapshot, Clock::time_point now);

  std::deque<Sample> samples_;
  std::optional<double> fraction_at_start_;  ///< of the data phase
  double fraction_ = 0;
};

}  // namespace cli
