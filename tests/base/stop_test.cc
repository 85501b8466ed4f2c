#include "base/stop.h"

#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

#include "base/error.h"
#include "tests/base/matchers.h"

namespace base {
namespace {

using namespace std::chrono_literals;

bool readable(const Stop& stop) {
  pollfd waiting{stop.descriptor(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST(Stop, RequestIsSeenEveryWay) {
  const Stop stop;
  const Stop copy = stop;
  EXPECT_FALSE(stop.requested());
  EXPECT_FALSE(readable(stop));
  EXPECT_NO_THROW(stop.check());
  copy.request();
  copy.request();
  EXPECT_TRUE(stop.requested());
  EXPECT_TRUE(stop.token().stop_requested());
  EXPECT_TRUE(readable(stop));
  EXPECT_TRUE(readable(stop)) << "it stays readable";
  EXPECT_THAT([&] { stop.check(); }, test::throws(ErrorKind::cancelled));
}

TEST(Stop, ParentStopsItsChildren) {
  const Stop parent;
  const auto child = Stop::child_of(parent);
  const auto grandchild = Stop::child_of(child);
  parent.request();
  EXPECT_TRUE(grandchild.requested());
  EXPECT_TRUE(readable(grandchild));
}

TEST(Stop, ChildLeavesItsParentAlone) {
  const Stop parent;
  const auto child = Stop::child_of(parent);
  const auto sibling = Stop::child_of(parent);
  child.request();
  EXPECT_TRUE(child.requested());
  EXPECT_FALSE(parent.requested());
  EXPECT_FALSE(readable(parent));
  EXPECT_FALSE(sibling.requested());
}

TEST(Stop, ChildOfAStoppedParentIsStopped) {
  const Stop parent;
  parent.request();
  const auto child = Stop::child_of(parent);
  EXPECT_TRUE(child.requested());
  EXPECT_TRUE(readable(child));
}

TEST(Stop, ChildOutlivesItsParentsLastCopy) {
  auto parent = std::make_unique<Stop>();
  const auto child = Stop::child_of(*parent);
  parent.reset();
  EXPECT_FALSE(child.requested());
  child.request();
  EXPECT_TRUE(readable(child));
}

TEST(Stop, ChildMayGoWhileItsParentIsStopped) {
  for (int i = 0; i < 200; ++i) {
    const Stop parent;
    auto child = std::make_unique<Stop>(Stop::child_of(parent));
    std::jthread requester([&] { parent.request(); });
    child.reset();
  }
}

TEST(Stop, RequestWakesASleep) {
  const Stop stop;
  std::jthread requester([&] { stop.request(); });
  EXPECT_THAT([&] { stop.sleep_for(10min); }, test::throws(ErrorKind::cancelled));
}

TEST(Stop, SleepLastsAtLeastItsTime) {
  const auto started = std::chrono::steady_clock::now();
  Stop().sleep_for(5ms);
  EXPECT_GE(std::chrono::steady_clock::now() - started, 5ms);
  Stop().sleep_for(0ms);
  Stop().sleep_for(-1ms);
}

}  // namespace
}  // namespace base
