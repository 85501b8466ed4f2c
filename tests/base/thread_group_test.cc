#include "base/thread_group.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/base/matchers.h"

namespace base {
namespace {

using namespace std::chrono_literals;
using test::throws;
using ::testing::HasSubstr;

TEST(ThreadGroup, RunsAllAndJoins) {
  std::atomic<int> ran = 0;
  ThreadGroup group{Stop()};
  for (int i = 0; i < 8; ++i) group.start("worker", [&] { ++ran; });
  group.join();
  EXPECT_EQ(ran, 8);
}

TEST(ThreadGroup, FirstExceptionStopsTheOthersAndIsRethrown) {
  const Stop parent;
  ThreadGroup group(parent);
  for (int i = 0; i < 4; ++i) group.start("waits", [&] { group.stop().sleep_for(10min); });
  group.start("fails", [] { fail(ErrorKind::permanent, "disk full"); });
  EXPECT_THAT([&] { group.join(); }, throws(ErrorKind::permanent, HasSubstr("disk full")));
  EXPECT_FALSE(parent.requested());
}

TEST(ThreadGroup, CancelledNeverHidesTheReason) {
  ThreadGroup group{Stop()};
  std::latch cancelled(1);
  group.start("cancelled", [&] {
    cancelled.count_down();
    fail(ErrorKind::cancelled, "stopped");
  });
  group.start("reason", [&] {
    cancelled.wait();
    // Only an exception that reached the group stops it, so the other one is certainly recorded.
    EXPECT_THAT([&] { group.stop().sleep_for(10min); }, throws(ErrorKind::cancelled));
    fail(ErrorKind::corrupt, "the reason");
  });
  EXPECT_THAT([&] { group.join(); }, throws(ErrorKind::corrupt, HasSubstr("the reason")));
}

TEST(ThreadGroup, FirstReasonStands) {
  ThreadGroup group{Stop()};
  group.start("first", [] { fail(ErrorKind::permanent, "first"); });
  group.start("second", [&] {
    EXPECT_THAT([&] { group.stop().sleep_for(10min); }, throws(ErrorKind::cancelled));
    fail(ErrorKind::permanent, "second");
  });
  EXPECT_THAT([&] { group.join(); }, throws(ErrorKind::permanent, HasSubstr("first")));
}

TEST(ThreadGroup, ParentsStopIsReportedAsCancelled) {
  const Stop parent;
  ThreadGroup group(parent);
  group.start("waits", [&] { group.stop().sleep_for(10min); });
  parent.request();
  EXPECT_THAT([&] { group.join(); }, throws(ErrorKind::cancelled));
}

TEST(ThreadGroup, ExceptionsThatAreNotOursCountToo) {
  ThreadGroup group{Stop()};
  group.start("bug", [] { throw std::logic_error("bug"); });
  EXPECT_THROW(group.join(), std::logic_error);
}

TEST(ThreadGroup, DestructorStopsAndJoins) {
  std::atomic<bool> ended = false;
  {
    ThreadGroup group{Stop()};
    group.start("waits", [&] {
      EXPECT_THAT([&] { group.stop().sleep_for(10min); }, throws(ErrorKind::cancelled));
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace base
