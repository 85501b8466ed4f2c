#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/guarded.h"
#include "tests/s3/faults.h"
#include "tests/s3/program.h"

// How an upload answers a server that wants fewer requests, as the server sees it.

namespace s3 {
namespace {

using support::S3Fake;
using ::testing::HasSubstr;

/// Counts the requests that are with the server at once.
class Crowd {
 public:
  using Clock = std::chrono::steady_clock;

  void enter() {
    auto now = now_.lock();
    ++now->inside;
    if (!now->end || Clock::now() < *now->end) now->most = std::max(now->most, now->inside);
    now_.notify_all();
  }
  /// Until so many are there, or the time is over.
  void wait_for(int count, std::chrono::milliseconds longest) {
    auto now = now_.lock();
    now.wait_for(longest, [&] { return now->most >= count; });
  }
  void leave() { --now_.lock()->inside; }
  /// Whoever comes later does not count. The first who says it is heard.
  void close_in(std::chrono::seconds time) {
    auto now = now_.lock();
    if (!now->end) now->end = Clock::now() + time;
  }
  int most() { return now_.lock()->most; }

 private:
  struct Now {
    int inside = 0;
    int most = 0;
    std::optional<Clock::time_point> end;
  };
  base::Guarded<Now> now_;
};

class SlowDown : public test::UploadToFake, public ::testing::WithParamInterface<int> {};

TEST_P(SlowDown, HalvesWhatIsUnderWayAtOnce) {
  constexpr int kAtOnce = 8;
  constexpr int kFiles = 24;
  // The journal keeps what the probe has found: behind this run nothing but files is put.
  ASSERT_EQ(run_here().exit_code, 0);
  for (int i = 0; i < kFiles; ++i) write(std::to_string(i), "content");
  Crowd before;
  Crowd after;
  // All that there may be are refused together.
  S3Fake::Fault refused{
      .operation = "PutObject", .answer = S3Fake::error(GetParam(), "SlowDown"), .times = kAtOnce};
  refused.also = [&] {
    before.enter();
    before.wait_for(kAtOnce, std::chrono::seconds(30));
    after.close_in(std::chrono::seconds(10));  // by then there may be more again
  };
  fake_->fail(refused);
  // Each of the others stays for long enough to be met by whoever else may come.
  S3Fake::Fault kept{.operation = "PutObject", .times = 1000};
  kept.also = [&] {
    after.enter();
    after.wait_for(kAtOnce / 2 + 1, std::chrono::milliseconds(200));
  };
  kept.change = [&](support::HttpServerResponse&) { after.leave(); };
  fake_->fail(kept);
  const auto result = run_here({"--concurrency", std::to_string(kAtOnce)});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error;
  EXPECT_THAT(result.output, HasSubstr("EQUAL: 24 files"));
  EXPECT_EQ(before.most(), kAtOnce);
  EXPECT_LE(after.most(), kAtOnce / 2);
  EXPECT_EQ(fake_->objects().size(), size_t{kFiles});
}

INSTANTIATE_TEST_SUITE_P(Statuses, SlowDown, ::testing::Values(503, 429),
                         [](const auto& test) { return std::to_string(test.param); });

}  // namespace
}  // namespace s3
