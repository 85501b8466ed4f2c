#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "cli/log.h"

namespace cli {

/// How much had been moved at which time: what a chart of a result is made of. However long a run takes, few
/// points are kept: when there are too many every second one goes, and from then on half as many come. The
/// last one is always kept.
class Throughput {
 public:
  using Seconds = std::chrono::duration<double>;
  static constexpr size_t kMostPoints = 120;

  /// Sums since the start, at a time since then that does not fall. `items`: rows or files.
  void add(Seconds time, uint64_t bytes, uint64_t items);
  /// [[seconds, bytes, items], …]
  Json json() const;

 private:
  struct Point {
    Seconds time;
    uint64_t bytes = 0;
    uint64_t items = 0;
  };
  std::vector<Point> points_;
  Point last_{};
  Seconds interval_{0};  ///< at least, between two points
};

}  // namespace cli
