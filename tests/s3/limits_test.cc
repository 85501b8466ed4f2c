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

using std::chrono::seconds;

TEST(Governor, GrowsWhileThatMakesItFaster) {
  Governor governor({.start = 1, .most = 8});
  auto now = Governor::Clock::now();
  for (const uint64_t bytes : {100U, 200U, 400U}) governor.moved(bytes, now += seconds(3));
  const auto grown = governor.limit();
  EXPECT_GT(grown, 1U);
  for (int i = 0; i < 5; ++i) governor.moved(400, now += seconds(3));
  EXPECT_EQ(governor.limit(), grown);
}

TEST(Governor, HalvesOnceForAWaveOfSlowDowns) {
  Governor governor({.start = 32, .most = 64});
  const auto now = Governor::Clock::now();
  for (int i = 0; i < 20; ++i) governor.slow_down(now + std::chrono::milliseconds(i));
  EXPECT_EQ(governor.limit(), 16U);
  governor.slow_down(now + seconds(2));
  EXPECT_EQ(governor.limit(), 8U);
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
  auto now = Governor::Clock::now();
  for (const uint64_t bytes : {100U, 200U}) governor.moved(bytes, now += seconds(3));
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
