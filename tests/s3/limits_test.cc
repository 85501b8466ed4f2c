#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/thread_group.h"
#include "s3/buffer_pool.h"
#include "s3/governor.h"

namespace s3 {
namespace {

constexpr size_t kMiB1 = size_t{1} << 20;

TEST(BufferPool, NeverLendsMoreThanItsLimit) {
  const base::Stop stop;
  BufferPool pool(8 * kMiB1);
  std::atomic<size_t> lent{0};
  std::atomic<size_t> most{0};
  base::ThreadGroup group(stop);
  for (unsigned i = 0; i < 8; ++i)
    group.start("pool", [&, i] {
      for (unsigned round = 0; round < 50; ++round) {
        const auto size = ((i + round) % 4 + 1) * kMiB1;
        const auto buffer = pool.acquire(size, stop);
        ASSERT_EQ(buffer.bytes().size(), size);
        const auto now = lent += size;
        for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::ranges::fill(buffer.bytes(), std::byte{1});  // long enough for the others to come in between
        lent -= size;
      }
    });
  group.join();
  EXPECT_LE(most.load(), 8 * kMiB1);
}

TEST(BufferPool, LendsOneThatIsLargerThanAllOfIt) {
  const base::Stop stop;
  BufferPool pool(kMiB1);
  EXPECT_EQ(pool.acquire(5 * kMiB1, stop).bytes().size(), 5 * kMiB1);
  EXPECT_EQ(pool.acquire(0, stop).bytes().size(), 0U);
}

TEST(BufferPool, WakesUpForAStop) {
  const base::Stop stop;
  BufferPool pool(kMiB1);
  const auto held = pool.acquire(kMiB1, stop);
  std::jthread other([&] { stop.request(); });
  try {
    pool.acquire(kMiB1, stop);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::cancelled);
  }
}

using std::chrono::microseconds;
using std::chrono::seconds;

/// Transfers of a kilobyte to a server that takes 10 ms for each and serves so many at once. Returns the
/// number that were allowed after this time.
unsigned limit_at(Governor& governor, unsigned served_at_once, Governor::Clock::duration time,
                  Governor::Clock::time_point now = Governor::Clock::now()) {
  for (const auto end = now + time; now < end;) {
    const auto together = std::min(governor.limit(), served_at_once);
    now += std::chrono::milliseconds(10);
    for (unsigned i = 0; i < together; ++i) governor.moved(1000, now);
  }
  return governor.limit();
}

TEST(Governor, DoublesAtOnceWhileThatMakesItNoSlower) {
  for (const unsigned served_at_once : {8U, 20U, 1000U}) {
    Governor governor({.most = 64});
    EXPECT_EQ(limit_at(governor, served_at_once, seconds(2)), 64U) << served_at_once;
  }
}

/// The number after a second in which everything takes a quarter longer with more than `few`.
unsigned slower_with_more_than(unsigned few, Governor& governor, Governor::Clock::time_point now) {
  for (const auto end = now + seconds(1); now < end;)
    governor.moved(1000, now += governor.limit() > few ? microseconds(625) : microseconds(500));
  return governor.limit();
}

TEST(Governor, TakesBackWhatMakesItSlower) {
  Governor governor({.start = 8, .most = 64});
  EXPECT_EQ(slower_with_more_than(8, governor, Governor::Clock::now()), 8U);
}

TEST(Governor, WaitsUntilEachCouldHaveFinishedTwiceBeforeItJudges) {
  Governor governor({.start = 4, .most = 64});
  auto now = Governor::Clock::now();
  for (int i = 0; i < 15; ++i) governor.moved(1000, now += seconds(3));
  EXPECT_EQ(governor.limit(), 4U);
  governor.moved(1000, now += seconds(3));
  EXPECT_EQ(governor.limit(), 8U);
}

TEST(Governor, GrowsByAQuarterLater) {
  Governor governor({.start = 32, .most = 64});
  const auto begun = Governor::Clock::now();
  ASSERT_EQ(slower_with_more_than(32, governor, begun), 32U);
  EXPECT_EQ(limit_at(governor, 34, seconds(30), begun + seconds(1)), 50U);
  EXPECT_EQ(limit_at(governor, 34, seconds(30), begun + seconds(31)), 50U);
}

TEST(Governor, HalvesOnceForAWaveOfSlowDowns) {
  Governor governor({.start = 32, .most = 64});
  const auto now = Governor::Clock::now();
  for (int i = 0; i < 20; ++i) governor.slow_down(now + std::chrono::milliseconds(i));
  EXPECT_EQ(governor.limit(), 16U);
  governor.slow_down(now + seconds(2));
  EXPECT_EQ(governor.limit(), 8U);
}

TEST(Governor, GrowsBackAfterASlowDown) {
  Governor governor({.start = 64, .most = 64});
  const auto begun = Governor::Clock::now();
  for (int i = 0; i < 4; ++i) governor.slow_down(begun + i * seconds(2));
  ASSERT_EQ(governor.limit(), 4U);
  EXPECT_EQ(limit_at(governor, 1000, seconds(9), begun + seconds(6)), 4U);
  // Although it is no faster so.
  EXPECT_EQ(limit_at(governor, 1, seconds(120), begun + seconds(15)), 64U);
}

TEST(Governor, IsJudgedByWhatIsFoundThereToo) {
  Governor governor({.most = 64});
  auto now = Governor::Clock::now();
  for (int i = 0; i < 200; ++i) governor.moved(0, now += std::chrono::milliseconds(20));
  EXPECT_GT(governor.limit(), 8U);
}

TEST(Governor, AdmitsTheFirstWorkersUntilThereIsNoMoreToDo) {
  const base::Stop stop;
  Governor governor({.start = 2, .most = 3});
  governor.admit(0, stop);
  governor.admit(1, stop);
  std::atomic<int> admitted{0};
  std::jthread third([&] {
    governor.admit(2, stop);
    ++admitted;
  });
  limit_at(governor, 2, seconds(1));
  third.join();
  EXPECT_EQ(admitted, 1);
  std::jthread fourth([&] {
    governor.admit(3, stop);
    ++admitted;
  });
  governor.close();
  fourth.join();
  EXPECT_EQ(admitted, 2);
  governor.admit(4, stop);
}

TEST(Governor, LetsNoMoreRequestsBeUnderWayThanMayBe) {
  const base::Stop stop;
  const base::Stop stopped;
  stopped.request();
  Governor governor({.start = 2, .most = 8});
  const auto is_full = [&] {
    try {
      governor.turn(stopped);
      return false;
    } catch (const base::Error&) {  // it would have waited
      return true;
    }
  };
  std::vector<Governor::Turn> held;
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(is_full()) << i;
    held.push_back(governor.turn(stop));
  }
  EXPECT_TRUE(is_full());
  governor.slow_down();
  held.pop_back();
  EXPECT_TRUE(is_full()) << "the one that is left is all there may be";
  std::jthread third([&] { governor.turn(stop); });
  held.pop_back();
  third.join();
  EXPECT_FALSE(is_full());
}

TEST(Governor, LetsAStopEndTheWaitForATurn) {
  const base::Stop stop;
  Governor governor({.start = 1, .most = 1});
  const auto held = governor.turn(stop);
  std::jthread other([&] { stop.request(); });
  EXPECT_THROW(governor.turn(stop), base::Error);
}

TEST(Governor, KeepsToTheBandwidth) {
  const base::Stop stop;
  Governor governor({.bytes_per_second = 1'000'000});
  const auto begun = Governor::Clock::now();
  for (int i = 0; i < 6; ++i) governor.pace(20'000, stop);
  EXPECT_GE(Governor::Clock::now() - begun, std::chrono::milliseconds(95));
}

}  // namespace
}  // namespace s3
