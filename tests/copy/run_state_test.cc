#include "copy/run_state.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/codec.h"
#include "tests/base/matchers.h"

namespace copy {
namespace {

using base::ErrorKind;
using base::test::throws;
using ::testing::HasSubstr;

void add(RunState& state, const std::string& record) { state.apply(std::as_bytes(std::span(record))); }

RunState fold(const std::vector<std::string>& records) {
  RunState state;
  for (const auto& record : records) add(state, record);
  return state;
}

std::vector<std::string> records_of(const RunState& state) {
  std::vector<std::string> records;
  state.for_each_record([&](std::string_view record) { records.emplace_back(record); });
  return records;
}

std::vector<std::string> sorted(std::vector<std::string> records) {
  std::ranges::sort(records);
  return records;
}

RunState started() {
  RunState state;
  state.run_id = "0123456789abcdef";
  state.tool_version = "0.1.0";
  state.source = "postgres://app@old/app";
  state.target = "postgres://app@new/app";
  state.started = std::chrono::system_clock::from_time_t(1'700'000'000) + std::chrono::milliseconds(5);
  return state;
}

std::vector<std::string> history() {
  pg::SnapshotMark mark{.system_identifier = "7300000000000000001",
                        .database_oid = 16384,
                        .transactions = "100:100:",
                        .lsn = "0/1500028",
                        .timeline = "00000001",
                        .server_start = "2024-05-01 12:00:00+00"};
  std::vector<std::string> records{record::run(started()), record::snapshot(0, {mark, "15.18"})};
  records.push_back(record::schema({1000, 0xE3069283}));
  mark.transactions = "200:205:201,203";
  records.push_back(record::snapshot(1, {mark, "15.18"}));
  for (uint32_t i = 0; i < 20; ++i)
    records.push_back(record::chunk(
        i / 5, i % 5, {i * 100, uint64_t{i} << 40, {i * 100, (base::uint128{i} << 100) + 5}, i % 2}));
  records.push_back(record::relation_digest(0, std::string("\0\xff binary", 9)));
  records.push_back(record::proof(0, {true, {1000, 7}, {1000, 7}}));
  records.push_back(record::proof(3, {false, {10, 7}, {11, 8}}));
  records.push_back(record::finished(1));
  records.push_back(record::discarded(started().started + std::chrono::milliseconds(7)));
  return records;
}

TEST(RunState, RecordsRoundTrip) {
  const auto state = fold(history());
  EXPECT_EQ(state.run_id, "0123456789abcdef");
  EXPECT_EQ(state.target, "postgres://app@new/app");
  EXPECT_EQ(state.started, started().started);
  ASSERT_EQ(state.snapshots.size(), 2U);
  EXPECT_EQ(state.snapshots[1].mark.transactions, "200:205:201,203");
  EXPECT_EQ(state.snapshots[0].mark.system_identifier, "7300000000000000001");
  EXPECT_EQ(state.snapshots[0].mark.database_oid, 16384U);
  ASSERT_TRUE(state.schema);
  EXPECT_EQ(state.schema->bytes, 1000U);
  EXPECT_EQ(state.schema->crc32c, 0xE3069283U);
  EXPECT_EQ(state.snapshots[0].mark.timeline, "00000001");
  EXPECT_EQ(state.snapshots[0].mark.server_start, "2024-05-01 12:00:00+00");
  ASSERT_NE(state.chunk(3, 4), nullptr);
  EXPECT_EQ(state.chunk(3, 4)->rows, 1900U);
  EXPECT_EQ(state.chunk(3, 4)->bytes, uint64_t{19} << 40);
  EXPECT_TRUE(state.chunk(3, 4)->digest.sum == (base::uint128{19} << 100) + 5);
  EXPECT_EQ(state.chunk(4, 0), nullptr);
  EXPECT_EQ(state.relation_digests.at(0), std::string("\0\xff binary", 9));
  EXPECT_TRUE(state.proofs.at(0).equal);
  EXPECT_FALSE(state.proofs.at(3).equal);
  EXPECT_EQ(state.proofs.at(3).target.rows, 11U);
  EXPECT_EQ(state.finished, 1);
}

TEST(RunState, ItsRecordsMakeTheSameState) {
  const auto state = fold(history());
  EXPECT_EQ(sorted(records_of(fold(records_of(state)))), sorted(records_of(state)));
  EXPECT_EQ(sorted(records_of(state)), sorted(history()));
}

TEST(RunState, ApplyingARecordTwiceChangesNothing) {
  RunState twice;
  for (const auto& record : history()) {
    add(twice, record);
    add(twice, record);
  }
  EXPECT_EQ(sorted(records_of(twice)), sorted(history()));
}

TEST(RunState, AnEmptyOneHasNoRecords) { EXPECT_TRUE(records_of(RunState()).empty()); }

TEST(RunState, ForgettingAChunkForgetsWhatWasProvenWithIt) {
  auto state = fold(history());
  add(state, record::forgotten(0, 2));
  add(state, record::forgotten(0, 2));
  EXPECT_EQ(state.chunk(0, 2), nullptr);
  EXPECT_NE(state.chunk(0, 1), nullptr);
  EXPECT_TRUE(state.relation_digests.empty());
  EXPECT_TRUE(state.proofs.empty());
}

TEST(RunState, UnprovenForgetsProofsOnly) {
  auto state = fold(history());
  add(state, record::unproven());
  EXPECT_TRUE(state.proofs.empty());
  EXPECT_EQ(state.chunks.size(), 20U);
  EXPECT_FALSE(state.relation_digests.empty());
}

TEST(RunState, ALaterChunkRecordReplacesTheEarlierOne) {
  auto state = fold(history());
  add(state, record::chunk(1, 1, {5, 6, {5, 7}, 1}));
  EXPECT_EQ(state.chunk(1, 1)->rows, 5U);
  EXPECT_EQ(state.chunks.size(), 20U);
}

TEST(RunState, HighChunkNumbersStayApart) {
  RunState state;
  add(state, record::chunk(0xFFFFFFFF, 0, {1, 1, {1, 1}, 0}));
  add(state, record::chunk(0, 0xFFFFFFFF, {2, 2, {2, 2}, 0}));
  EXPECT_EQ(state.chunk(0xFFFFFFFF, 0)->rows, 1U);
  EXPECT_EQ(state.chunk(0, 0xFFFFFFFF)->rows, 2U);
  EXPECT_EQ(sorted(records_of(fold(records_of(state)))), sorted(records_of(state)));
}

TEST(RunState, RecordsThatMakeNoSenseAreCorrupt) {
  RunState state;
  base::Encoder unknown;
  const auto applying = [&](const std::string& record) { return [&state, record] { add(state, record); }; };
  EXPECT_THAT(applying(unknown.number(99).str()), throws(ErrorKind::corrupt, HasSubstr("unknown type")));
  EXPECT_THAT(applying(record::snapshot(1, {})), throws(ErrorKind::corrupt, HasSubstr("out of order")));
  EXPECT_THAT(applying(record::finished(0) + "x"), throws(ErrorKind::corrupt, HasSubstr("after its end")));
  const auto chunk = record::chunk(1, 2, {1000, 1000, {1000, 1000}, 0});
  for (size_t size = 0; size < chunk.size(); ++size)
    EXPECT_THAT(applying(chunk.substr(0, size)), throws(ErrorKind::corrupt)) << size;
}

}  // namespace
}  // namespace copy
