#include "pg/activity.h"

#include <gtest/gtest.h>

namespace pg {
namespace {

class TwoLooks : public ::testing::Test {
 protected:
  TwoLooks() {
    earlier_.mark = {.system_identifier = "7",
                     .database_oid = 5,
                     .transactions = "740:740:",
                     .timeline = "00000001",
                     .server_start = "a"};
    earlier_.counted_since = "a";
    earlier_.written = "17 4";
    earlier_.at = 100;
    later_ = earlier_;
    later_.at = 200;
  }
  Writes writes() const { return writes_between(earlier_, later_); }

  Activity earlier_;
  Activity later_;
};

TEST_F(TwoLooks, WithoutATransactionNothingWasWritten) {
  later_.last_active = 200;
  later_.written = "18 4";  // told late, of what was written before
  EXPECT_EQ(writes(), Writes::none);
}

TEST_F(TwoLooks, CountersDecideWhereTransactionsDoNot) {
  later_.mark.transactions = "745:745:";
  EXPECT_EQ(writes(), Writes::none);
  later_.last_active = 99;
  EXPECT_EQ(writes(), Writes::none);
  later_.last_active = 100;
  EXPECT_EQ(writes(), Writes::unknown) << "it may not have told them yet";
  later_.written = "18 4";
  EXPECT_EQ(writes(), Writes::some);
  // A provider that does not show the timeline.
  later_.mark = earlier_.mark;
  later_.mark.timeline = earlier_.mark.timeline = "";
  EXPECT_EQ(writes(), Writes::some);
}

TEST_F(TwoLooks, CountersThatWereLostTellNothing) {
  later_.mark.transactions = "745:745:";
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
