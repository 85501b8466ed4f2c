#include "aws/timestamp.h"

#include <gtest/gtest.h>

namespace aws {
namespace {

TEST(Timestamp, FormsThatAwsWrites) {
  const auto expected = Clock::from_time_t(1769903999);
  for (const char* text : {"2026-01-31T23:59:59Z", "2026-01-31T23:59:59.123456Z", "2026-02-01T01:59:59+02:00",
                           "2026-01-31T18:29:59-05:30", "2026-01-31T23:59:59UTC"})
    EXPECT_EQ(parse_timestamp(text), expected) << text;
}

TEST(Timestamp, FarAwayIsTheEndOfTheClock) {
  EXPECT_EQ(parse_timestamp("9999-12-31T23:59:59Z"), Clock::time_point::max());
  EXPECT_GT(parse_timestamp("2261-12-31T23:59:59Z"), Clock::from_time_t(9'000'000'000));
}

TEST(Timestamp, NothingElse) {
  for (const char* text :
       {"", "2026-01-31", "2026-01-31 23:59:59Z", "2026-02-30T00:00:00Z", "2026-01-31T23:60:59Z",
        "2026-01-31T23:59:59", "2026-01-31T23:59:59+0200", "2026-01-31T23:59:5Z0", "-026-01-31T23:59:59Z",
        "2026-01-31T23:59:59 Z", "1969-12-31T23:59:59Z", "tomorrow"})
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
}

}  // namespace
}  // namespace aws
