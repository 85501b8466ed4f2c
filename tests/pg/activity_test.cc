#include "pg/activity.h"

#include <gtest/gtest.h>

namespace pg {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// Before a comparison, at its end, and once more.
class Looks : public ::testing::Test {
 protected:
  Looks() {
    earlier_.mark = {.system_identifier = "7",
                     .database_oid = 5,
                     .transactions = "740:740:",
                     .timeline = "00000001",
                     .server_start = "a"};
    earlier_.counted_since = "a";
    earlier_.written = "17";
    earlier_.sequences = "4";
    earlier_.at = 100 * kSecond;
    earlier_.idle_tells = std::chrono::seconds(11);
    earlier_.busy_tells = std::chrono::seconds(61);
    end_ = earlier_;
    end_.at = 200 * kSecond;
    later_ = end_;
  }
  Writes writes() const { return writes_between(earlier_, end_, later_).writes; }
  /// Another transaction id was assigned, whoever wanted it.
  void go_on() { end_.mark.transactions = later_.mark.transactions = "745:745:"; }
  /// One session, and nothing that the counters know of.
  Writes with(SessionActivity session, int64_t at) {
    session.pid = 4711;
    later_.at = at;
    later_.sessions = {session};
    return writes();
  }

  Activity earlier_;
  Activity end_;
  Activity later_;
};

TEST_F(Looks, WithoutATransactionNoRowWasWritten) {
  later_.sessions = {{.pid = 1, .since = later_.at}};
  later_.written = "18";  // told late, of what was written before
  EXPECT_EQ(writes(), Writes::none);
}

TEST_F(Looks, ASequenceNeedsNoTransaction) {
  later_.sequences = "5";
  EXPECT_EQ(writes(), Writes::none) << "that came after the end";
  end_.sequences = "5";
  EXPECT_EQ(writes(), Writes::some);
  later_.counted_since = "";
  EXPECT_EQ(writes(), Writes::some);
  // After a crash a sequence goes on behind what it has logged.
  end_.mark.server_start = later_.mark.server_start = "b";
  EXPECT_EQ(writes(), Writes::unknown);
}

TEST_F(Looks, CountersDecideWhereTransactionsDoNot) {
  go_on();
  EXPECT_EQ(writes(), Writes::none);
  later_.written = "18";
  EXPECT_EQ(writes(), Writes::some);
  // A provider that does not show the timeline.
  end_.mark = later_.mark = earlier_.mark;
  for (auto* look : {&earlier_, &end_, &later_}) look->mark.timeline = "";
  EXPECT_EQ(writes(), Writes::some);
}

TEST_F(Looks, WhoWorkedInBetweenMayNotHaveToldThem) {
  go_on();
  const auto s = [](int64_t seconds) { return seconds * kSecond; };
  EXPECT_EQ(with({.began = s(1), .since = s(99), .idle = false}, s(200)), Writes::none) << "long before";
  EXPECT_EQ(with({.began = s(201), .since = s(203), .idle = false}, s(203)), Writes::none) << "not yet there";
  EXPECT_EQ(with({.began = s(1), .since = s(150), .idle = false}, s(200)), Writes::untold);
  EXPECT_EQ(with({.began = 0, .since = s(280), .idle = false}, s(280)), Writes::untold) << "hidden";
  EXPECT_EQ(writes_between(earlier_, end_, later_).untold.at(0).pid, 4711);
  EXPECT_EQ(with({.began = s(1), .since = s(150), .idle = false}, s(280)), Writes::untold)
      << "in a transaction";
  later_.written = "18";
  EXPECT_EQ(with({.began = s(1), .since = s(150), .idle = false}, s(280)), Writes::some);
}

TEST_F(Looks, WhoRestsOrGoesOnLongEnoughHasToldThem) {
  go_on();
  const auto s = [](int64_t seconds) { return seconds * kSecond; };
  EXPECT_EQ(with({.began = s(1), .since = s(199), .idle = true}, s(209)), Writes::untold);
  EXPECT_EQ(with({.began = s(1), .since = s(199), .idle = true}, s(210)), Writes::none);
  EXPECT_EQ(with({.began = s(1), .since = s(260), .idle = true}, s(262)), Writes::untold);
  EXPECT_EQ(with({.began = s(1), .since = s(261), .idle = true}, s(262)), Writes::none);
  // Before 15 only work tells, and sooner.
  later_.idle_tells = {};
  later_.busy_tells = std::chrono::milliseconds(1'500);
  EXPECT_EQ(with({.began = s(1), .since = s(199), .idle = true}, s(900)), Writes::untold);
  EXPECT_EQ(with({.began = s(1), .since = s(202), .idle = true}, s(202)), Writes::none);
}

TEST_F(Looks, CountersThatWereLostTellNothing) {
  go_on();
  later_.counted_since = "b";
  EXPECT_EQ(writes(), Writes::unknown);
  later_.counted_since = earlier_.counted_since = "";
  EXPECT_EQ(writes(), Writes::unknown);
  later_.counted_since = earlier_.counted_since = "a";
  later_.mark.server_start = "b";
  EXPECT_EQ(writes(), Writes::unknown);
}

}  // namespace
}  // namespace pg
