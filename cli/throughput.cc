#include "cli/throughput.h"

#include <cmath>

namespace cli {
namespace {

double in_milliseconds(Throughput::Seconds time) {
  constexpr double kPerSecond = 1000;
  return std::round(time.count() * kPerSecond) / kPerSecond;
}

}  // namespace

void Throughput::add(Seconds time, uint64_t bytes, uint64_t items) {
  last_ = {time, bytes, items};
  if (!points_.empty() && time < points_.back().time + interval_) return;
  points_.push_back(last_);
  // One place is for the last one.
  if (points_.size() < kMostPoints) return;
  for (size_t i = 0; 2 * i < points_.size(); ++i) points_[i] = points_[2 * i];
  points_.resize((points_.size() + 1) / 2);
  interval_ = (points_.back().time - points_.front().time) / static_cast<double>(points_.size() - 1);
}

Json Throughput::json() const {
  auto out = Json::array();
  const auto put = [&](const Point& point) {
    out.push_back({in_milliseconds(point.time), point.bytes, point.items});
  };
  for (const auto& point : points_) put(point);
  if (!points_.empty() && last_.time > points_.back().time) put(last_);
  return out;
}

}  // namespace cli
