#include "base/format.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/base/matchers.h"

namespace base {
namespace {

using namespace std::chrono_literals;
using test::throws;
using ::testing::HasSubstr;

TEST(HumanBytes, HasOneDecimalAndDecimalPowers) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(17), "17 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(1449), "1.4 kB");
  EXPECT_EQ(human_bytes(1450), "1.5 kB");
  EXPECT_EQ(human_bytes(128'000'000), "128.0 MB");
  EXPECT_EQ(human_bytes(1'600'000'000), "1.6 GB");
  EXPECT_EQ(human_bytes(std::numeric_limits<uint64_t>::max()), "18.4 EB");
}

TEST(HumanBytes, RoundsUpIntoTheNextUnit) {
  EXPECT_EQ(human_bytes(999'949), "999.9 kB");
  EXPECT_EQ(human_bytes(999'950), "1.0 MB");
  EXPECT_EQ(human_bytes(999'999'999), "1.0 GB");
}

TEST(HumanDuration, GrowsCoarser) {
  EXPECT_EQ(human_duration(0ms), "0.0 s");
  EXPECT_EQ(human_duration(-5ms), "0.0 s");
  EXPECT_EQ(human_duration(449ms), "0.4 s");
  EXPECT_EQ(human_duration(9949ms), "9.9 s");
  EXPECT_EQ(human_duration(9950ms), "10 s");
  EXPECT_EQ(human_duration(17s), "17 s");
  EXPECT_EQ(human_duration(59'499ms), "59 s");
  EXPECT_EQ(human_duration(59'500ms), "1 min 00 s");
  EXPECT_EQ(human_duration(3min + 5s), "3 min 05 s");
  EXPECT_EQ(human_duration(1h - 1ms), "1 h 00 min");
  EXPECT_EQ(human_duration(2h + 7min), "2 h 07 min");
  EXPECT_EQ(human_duration(49h), "49 h 00 min");
}

TEST(HumanCount, GroupsByThousands) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(123'456), "123,456");
}

TEST(ParseBytes, TakesEveryWayToWriteASize) {
  EXPECT_EQ(parse_bytes("512"), 512U);
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
  for (const auto* text : {"64k", "64K", "64kB", "64KB", "64KiB", "64 kB"})
    EXPECT_EQ(parse_bytes(text), 65'536U);
  EXPECT_EQ(parse_bytes("3MB"), 3U << 20);
  EXPECT_EQ(parse_bytes("1.5GB"), 3ULL << 29);
  EXPECT_EQ(parse_bytes("2G"), 2ULL << 30);
  EXPECT_EQ(parse_bytes("1TiB"), 1ULL << 40);
  EXPECT_EQ(parse_bytes("16777215T"), 16777215ULL << 40);
}

TEST(ParseBytes, RefusesEverythingElseAndNamesIt) {
  for (const auto* text : {"",          "GB",    "-1",   "+1",        "1.",
                           ".5G",       "1.5",   "1.5B", "1,5GB",     "1 ",
                           " 1",        "1  kB", "1X",   "1kBB",      "1iB",
                           "1kiBx",     "1e3",   "0x10", "16777216T", "18446744073709551616",
                           "1.1234567G"})
    EXPECT_THAT([&] { parse_bytes(text); }, throws(ErrorKind::usage, HasSubstr(fmt::format("\"{}\"", text))))
        << text;
}

TEST(UtcTimestamp, IsIso8601WithMilliseconds) {
  using std::chrono::system_clock;
  EXPECT_EQ(utc_timestamp(system_clock::time_point{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_timestamp(system_clock::time_point(1769903999s + 123'999us)), "2026-01-31T23:59:59.123Z");
  EXPECT_EQ(utc_timestamp(system_clock::time_point(-1ms)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace base
