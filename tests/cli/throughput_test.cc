#include "cli/throughput.h"

#include <gmock/gmock.h>

namespace cli {
namespace {

using Seconds = Throughput::Seconds;

TEST(Throughput, KeepsWhatItWasGiven) {
  Throughput throughput;
  EXPECT_EQ(throughput.json(), Json::array());
  throughput.add(Seconds(0.1), 0, 0);
  throughput.add(Seconds(0.3004), 1000, 3);
  throughput.add(Seconds(0.5), 1500, 4);
  EXPECT_EQ(throughput.json().dump(), "[[0.1,0,0],[0.3,1000,3],[0.5,1500,4]]");
}

TEST(Throughput, StaysSmallAndKeepsBothEndsOfALongRun) {
  Throughput throughput;
  constexpr int kSamples = 100'000;  // more than five hours
  for (int i = 0; i <= kSamples; ++i)
    throughput.add(Seconds(0.2 * i), static_cast<uint64_t>(i) * 1000, static_cast<uint64_t>(i));
  const auto points = throughput.json();
  EXPECT_LE(points.size(), Throughput::kMostPoints);
  EXPECT_GT(points.size(), Throughput::kMostPoints / 3);
  EXPECT_EQ(points.front().at(0), 0.0);
  EXPECT_EQ(points.back().at(1), kSamples * 1000);
  // Spread over the whole of it.
  for (size_t i = 1; i < points.size(); ++i) {
    const auto step = points[i].at(0).get<double>() - points[i - 1].at(0).get<double>();
    EXPECT_GT(step, 0) << i;
    EXPECT_LT(step, 0.2 * kSamples / 25) << i;
  }
}

}  // namespace
}  // namespace cli
