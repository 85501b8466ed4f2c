#include <gmock/gmock.h>

#include "cli/progress_meter.h"
#include "cli/progress_text.h"
#include "cli/text.h"

namespace cli {
namespace {

using copy::Progress;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMega = 1'000'000;

class ProgressTest : public ::testing::Test {
 protected:
  /// A run that has been copying for `elapsed`, with `done` of 1000 MB.
  Progress::Snapshot copying(seconds elapsed, uint64_t done) const {
    Progress::Snapshot snapshot;
    snapshot.phase = "data";
    snapshot.started = start_ - seconds(1);
    snapshot.data_started = start_;
    snapshot.bytes_total = 1000 * kMega;
    snapshot.bytes_expected_done = done * kMega;
    snapshot.bytes_copied = done * kMega;
    snapshot.rows_copied = done * 1000;
    snapshot.chunks_total = 1000;
    snapshot.chunks_done = done;
    (void)elapsed;
    return snapshot;
  }
  Progress::Clock::time_point at(seconds elapsed) const { return start_ + elapsed; }

  Progress::Clock::time_point start_ = Progress::Clock::now();
  ProgressMeter meter_;
};

TEST_F(ProgressTest, EstimatesFromWhatWasDone) {
  EXPECT_FALSE(meter_.measure(copying(seconds(0), 0), at(seconds(0))).left);
  EXPECT_FALSE(meter_.measure(copying(seconds(2), 100), at(seconds(2))).left);
  const auto pace = meter_.measure(copying(seconds(10), 200), at(seconds(10)));
  ASSERT_TRUE(pace.left);
  EXPECT_NEAR(static_cast<double>(pace.left->count()), 40'000, 1);
  EXPECT_DOUBLE_EQ(pace.fraction, 0.2);
}

TEST_F(ProgressTest, AResumedRunEstimatesFromItsOwnShare) {
  meter_.measure(copying(seconds(0), 500), at(seconds(0)));
  const auto pace = meter_.measure(copying(seconds(10), 600), at(seconds(10)));
  ASSERT_TRUE(pace.left);
  EXPECT_NEAR(static_cast<double>(pace.left->count()), 40'000, 1);  // 400 MB at 10 MB/s
}

TEST_F(ProgressTest, ASlowStartIsNoEstimate) {
  meter_.measure(copying(seconds(0), 0), at(seconds(0)));
  EXPECT_FALSE(meter_.measure(copying(seconds(60), 1), at(seconds(60))).left);
}

TEST_F(ProgressTest, ThePaceIsThatOfTheLastSeconds) {
  meter_.measure(copying(seconds(0), 0), at(seconds(0)));
  meter_.measure(copying(seconds(10), 10), at(seconds(10)));
  for (int i = 1; i <= 6; ++i)
    meter_.measure(copying(seconds(10 + i), 10 + static_cast<uint64_t>(i) * 50), at(seconds(10 + i)));
  const auto pace = meter_.measure(copying(seconds(17), 360), at(seconds(17)));
  EXPECT_EQ(pace.bytes_per_second, 50 * kMega);
  EXPECT_EQ(pace.rows_per_second, 50'000U);
}

TEST_F(ProgressTest, ChunksInWorkCountButAreNeverTheEnd) {
  auto snapshot = copying(seconds(10), 900);
  snapshot.activities = {{"copy public.orders 1/2", 50 * kMega, start_},
                         {"index public.i", 70 * kMega, start_}};
  EXPECT_DOUBLE_EQ(meter_.measure(snapshot, at(seconds(10))).fraction, 0.95);
  snapshot.activities[0].bytes = 5000 * kMega;
  EXPECT_LT(meter_.measure(snapshot, at(seconds(11))).fraction, 1.0);
  // The chunk failed and starts again: what was shown stands.
  snapshot.activities.clear();
  EXPECT_GT(meter_.measure(snapshot, at(seconds(12))).fraction, 0.95);
}

TEST_F(ProgressTest, AllChunksAreTheWhole) {
  auto snapshot = copying(seconds(10), 1000);
  snapshot.bytes_expected_done -= 20;  // rounded per chunk
  const auto pace = meter_.measure(snapshot, at(seconds(10)));
  EXPECT_DOUBLE_EQ(pace.fraction, 1.0);
  EXPECT_FALSE(pace.left);
}

TEST_F(ProgressTest, AnEmptyDatabaseHasNoShare) {
  const Progress::Snapshot snapshot;
  EXPECT_DOUBLE_EQ(meter_.measure(snapshot, at(seconds(1))).fraction, 0);
}

std::string plain(const std::vector<Line>& lines) {
  std::string out;
  for (const auto& line : lines) out += composed(line, 1000, false, true) + "\n";
  return out;
}

class LiveLines : public ProgressTest {
 protected:
  Progress::Snapshot busy() const {
    auto snapshot = copying(seconds(10), 400);
    snapshot.indexes_total = 12;
    snapshot.indexes_done = 3;
    snapshot.retries = 1;
    snapshot.activities = {
        {"copy public.orders 3/12", 12 * kMega, start_},
        {"copy public.\"a very long name of a table that goes on and on and on\"", 7, start_},
        {"copy public.日本語の表", 1234, start_},
        {"index public.orders_at_idx", 0, start_}};
    return snapshot;
  }
  std::vector<Line> lines(size_t width, size_t height, bool unicode = true) {
    return live_lines(busy(), {0.4, 40 * kMega, 40'000, milliseconds(15'000)}, at(seconds(10)), width, height,
                      unicode);
  }
};

TEST_F(LiveLines, SayItAllWhereThereIsRoom) {
  const auto text = plain(lines(120, 24));
  EXPECT_THAT(text, AllOf(HasSubstr("copying  ━━━━"),
                          HasSubstr("40.0%  ETA 15 s  40.0 MB/s  400.0 MB  40,000 rows/s"),
                          HasSubstr("copy public.orders 3/12"), HasSubstr("12.0 MB"), HasSubstr("10 s"),
                          HasSubstr("chunks 400/1,000 · indexes 3/12 · 1 retry · 11 s")));
  EXPECT_THAT(text, Not(HasSubstr("proofs")));
}

TEST_F(LiveLines, SayWhatTheServerIsAt) {
  auto snapshot = busy();
  snapshot.activities.back().detail = "scanning table 45%";
  const auto drawn = live_lines(snapshot, {}, at(seconds(10)), 120, 24, true);
  EXPECT_THAT(plain(drawn),
              ::testing::ContainsRegex("index public.orders_at_idx .* 10 s  scanning table 45%"));
}

TEST_F(LiveLines, NeverAreWiderOrMoreThanTheTerminal) {
  for (const size_t width : {1U, 5U, 20U, 40U, 60U, 79U, 80U, 100U, 132U, 250U})
    for (const size_t height : {1U, 2U, 3U, 4U, 5U, 6U, 24U}) {
      const auto drawn = lines(width, height);
      EXPECT_LE(drawn.size(), height) << width << "x" << height;
      for (const auto& line : drawn)
        EXPECT_LE(display_width(composed(line, 1000, false, true)), width)
            << composed(line, 1000, false, true);
    }
}

TEST_F(LiveLines, GiveUpTheBarAndThenFiguresOnANarrowTerminal) {
  EXPECT_THAT(plain(lines(60, 24)), AllOf(HasSubstr("40.0%  ETA 15 s"), Not(HasSubstr("━━━"))));
  EXPECT_THAT(plain(lines(24, 24)), AllOf(HasSubstr("40.0%"), Not(HasSubstr("rows/s"))));
  EXPECT_THAT(plain(lines(100, 5)), HasSubstr("  and 2 more"));
}

TEST_F(LiveLines, ManageWithoutUnicode) {
  for (const char c : plain(lines(100, 24, false)))
    if (static_cast<unsigned char>(c) >= 0x80) {
      SUCCEED();  // only names of tables may hold such
    }
  EXPECT_THAT(plain(lines(100, 24, false)),
              AllOf(HasSubstr("##"), HasSubstr("--"), Not(HasSubstr("━")), Not(HasSubstr("·"))));
}

TEST_F(LiveLines, ObeyNoNameOfATable) {
  auto snapshot = copying(seconds(1), 1);
  snapshot.activities = {{"copy public.\x1b[2Jevil\nname", 1, start_}};
  const auto text = plain(live_lines(snapshot, {}, at(seconds(1)), 80, 24, true));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), HasSubstr("[2Jevil name")));
}

TEST_F(ProgressTest, ASentenceForLogs) {
  EXPECT_EQ(
      progress_sentence(copying(seconds(10), 400), {0.4, 40 * kMega, 40'000, milliseconds(15'000)},
                        at(seconds(10))),
      "copying: 40.0%, 400.0 MB, 400,000 rows, 40.0 MB/s, 40,000 rows/s, ETA 15 s, chunks 400/1,000, 11 s");
  EXPECT_THAT(progress_sentence(copying(seconds(1), 0), {}, at(seconds(1))), HasSubstr("estimating"));
  EXPECT_EQ(progress_sentence(Progress::Snapshot{"plan", start_, {}}, {}, at(seconds(1))), "planning: 1.0 s");
}

TEST_F(ProgressTest, JsonHasEveryField) {
  const auto json = progress_json(copying(seconds(10), 400), {0.4, 40 * kMega, 40'000, milliseconds(15'000)},
                                  at(seconds(10)));
  EXPECT_EQ(json.at("phase"), "data");
  EXPECT_EQ(json.at("seconds_left"), 15.0);
  EXPECT_EQ(json.at("elapsed_seconds"), 11.0);
  EXPECT_EQ(json.at("chunks_done"), 400);
  EXPECT_TRUE(progress_json({}, {}, start_).at("seconds_left").is_null());
}

}  // namespace
}  // namespace cli
