#include "base/retry.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/jitter.h"
#include "tests/base/matchers.h"

namespace base {
namespace {

using namespace std::chrono_literals;
using test::throws;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr RetryPolicy kQuick{1ms, 2ms, 60'000ms};

TEST(Retry, ReturnsTheFirstSuccess) {
  EXPECT_EQ(retry(kQuick, Stop(), {}, [] { return 7; }), 7);
}

TEST(Retry, TransientIsTriedAgainAndNoticed) {
  std::vector<int> noticed;
  int calls = 0;
  const auto notice = [&](const Error& error, int tries) {
    EXPECT_EQ(error.message(), "reset");
    noticed.push_back(tries);
  };
  const auto result = retry(kQuick, Stop(), notice, [&] {
    if (++calls < 4) fail(ErrorKind::transient, "reset");
    return calls;
  });
  EXPECT_EQ(result, 4);
  EXPECT_THAT(noticed, ElementsAre(1, 2, 3));
}

TEST(Retry, EveryOtherKindStandsAtOnce) {
  for (const auto kind : {ErrorKind::usage, ErrorKind::permanent, ErrorKind::in_doubt, ErrorKind::corrupt,
                          ErrorKind::cancelled}) {
    int calls = 0;
    EXPECT_THAT(
        [&] {
          retry(
              kQuick, Stop(), [](const Error&, int) { FAIL(); },
              [&] {
                ++calls;
                fail(kind, "no");
              });
        },
        throws(kind));
    EXPECT_EQ(calls, 1);
  }
}

TEST(Retry, OtherExceptionsPass) {
  EXPECT_THROW(retry(kQuick, Stop(), {}, [] { throw std::runtime_error("bug"); }), std::runtime_error);
}

TEST(Retry, GivesUpWithTheLastErrorWhenTheTimeIsOver) {
  int calls = 0;
  int noticed = 0;
  EXPECT_THAT(
      [&] {
        retry(
            {1ms, 2ms, 10ms}, Stop(), [&](const Error&, int) { ++noticed; },
            [&] { fail(ErrorKind::transient, "failure {}", ++calls); });
      },
      throws(ErrorKind::transient, HasSubstr("failure ")));
  EXPECT_GT(calls, 1);
  EXPECT_EQ(noticed, calls - 1) << "the failure that stood is not a retry";
}

TEST(Retry, NoTimeMeansOneTry) {
  int calls = 0;
  EXPECT_THAT(
      [&] {
        retry({1ms, 1ms, 0ms}, Stop(), {}, [&] { fail(ErrorKind::transient, "{}", ++calls); });
      },
      throws(ErrorKind::transient));
  EXPECT_EQ(calls, 1);
}

TEST(Retry, PausesDoubleWithFullJitter) {
  const auto expect_up_to = [&](int failures, std::chrono::milliseconds most) {
    auto shortest = most;
    std::chrono::milliseconds longest{0};
    for (int i = 0; i < 1000; ++i) {
      const auto pause = jittered_pause(50ms, 20'000ms, failures);
      shortest = std::min(shortest, pause);
      longest = std::max(longest, pause);
    }
    EXPECT_LT(shortest, most / 10) << failures;
    EXPECT_GT(longest, most / 10 * 9) << failures;
    EXPECT_LE(longest, most) << failures;
  };
  expect_up_to(1, 50ms);
  expect_up_to(2, 100ms);
  expect_up_to(9, 12'800ms);
  for (const int failures : {10, 40, 1'000'000}) expect_up_to(failures, 20'000ms);
}

TEST(Retry, StopEndsThePause) {
  const Stop stop;
  std::jthread requester;
  const auto notice = [&](const Error&, int) { requester = std::jthread([&] { stop.request(); }); };
  EXPECT_THAT(
      [&] {
        retry({3'600'000ms, 3'600'000ms, 3'600'000ms}, stop, notice,
              [] { fail(ErrorKind::transient, "reset"); });
      },
      throws(ErrorKind::cancelled));
}

}  // namespace
}  // namespace base
