// What a second look settles, with comparisons that are written down.

#include "verify/recheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verify {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RowDifference missing_row(const std::string& key) {
  RowDifference row;
  row.kind = RowDifference::Kind::missing;
  row.key = {key};
  return row;
}

/// One look at public.t: its rows with these keys differ.
struct Look {
  std::vector<std::string> keys;
  bool complete = true;
  std::vector<std::string> key_columns = {"id"};
  std::vector<Remark> unchecked = {};
};

class RecheckLooks : public ::testing::Test {
 protected:
  Outcome rechecked(std::vector<Look> looks) {
    Options options;
    options.recheck = static_cast<unsigned>(looks.size()) - 1;
    options.recheck_pause = std::chrono::milliseconds(0);
    options.on_row = [this](const TableResult&, const RowDifference& row) {
      told.push_back(row.key.front());
    };
    size_t at = 0;
    return compare_with_rechecks(options, base::Stop(), [&](const Options& own) {
      Outcome outcome;
      outcome.source.snapshot.transactions = "s" + std::to_string(at);
      outcome.target.snapshot.transactions = "t" + std::to_string(at);
      const auto& look = looks.at(at++);
      outcome.unchecked = look.unchecked;
      auto& table = outcome.tables.emplace_back();
      table.name = "public.t";
      table.key = look.key_columns;
      table.state = look.keys.empty() && look.complete ? State::equal : State::different;
      if (table.state == State::equal) return outcome;
      table.rows.emplace();
      table.rows->complete = look.complete;
      if (!look.complete) table.rows->note = "it could not be read again";
      for (const auto& key : look.keys) {
        table.rows->rows.push_back(missing_row(key));
        own.on_row(table, table.rows->rows.back());
      }
      return outcome;
    });
  }

  std::vector<std::string> told;
};

TEST_F(RecheckLooks, KeepTheRowsThatDifferedEachTime) {
  const auto outcome = rechecked({{{"1", "2", "3"}}, {{"2", "3", "4"}}, {{"3", "5"}}});
  EXPECT_EQ(outcome.tables[0].state, State::different);
  EXPECT_EQ(outcome.tables[0].rows->missing, 1U);
  EXPECT_THAT(told, ElementsAre("3"));
  // What was looked at once only is as of the first snapshots.
  EXPECT_EQ(outcome.source.snapshot.transactions, "s0");
  EXPECT_THAT(outcome.tables[0].rows->note, HasSubstr("source snapshot s2, target snapshot t2"));
}

TEST_F(RecheckLooks, SettleWhatIsSeenEqualOnce) {
  const auto outcome = rechecked({{{"1"}}, {{}}});
  EXPECT_EQ(outcome.tables[0].state, State::equal);
  EXPECT_FALSE(outcome.tables[0].rows.has_value());
  EXPECT_THAT(told, IsEmpty());
  ASSERT_THAT(outcome.notes, SizeIs(1));
  EXPECT_THAT(outcome.notes[0].message, HasSubstr("source snapshot s1, target snapshot t1"));
  EXPECT_EQ(rechecked({{{"1"}}, {{"2"}}, {{}}}).tables[0].state, State::equal);
  EXPECT_EQ(rechecked({{{"1"}}, {{"1"}}, {{}}}).tables[0].state, State::equal);
}

// A queue whose rows live for less than the pause between two looks, and which nobody replicates.
TEST_F(RecheckLooks, DoNotSettleRowsThatWereNeverSeenEqual) {
  for (const auto& looks : std::vector<std::vector<Look>>{{{{"1"}}, {{"2"}}},
                                                          {{{"1", "2"}}, {{"3"}}, {{"4", "5"}}},
                                                          {{{"1", "2"}}, {{"2"}}, {{"3"}}},
                                                          {{{"1"}}, {{"2"}}, {{"1"}}, {{"2"}}},
                                                          {{{"1"}}, {{"2"}}, {{}, false}}}) {
    const auto outcome = rechecked(looks);
    EXPECT_EQ(outcome.exit_code(), 3);
    EXPECT_EQ(outcome.tables[0].state, State::unchecked);
    EXPECT_THAT(outcome.tables[0].reason, HasSubstr("other rows differ each time"));
    EXPECT_THAT(outcome.notes, IsEmpty());
    EXPECT_THAT(told, IsEmpty());
  }
  // One that stays from there on is a difference.
  const auto stays = rechecked({{{"1"}}, {{"2", "3"}}, {{"3"}}});
  EXPECT_EQ(stays.tables[0].state, State::different);
  EXPECT_THAT(told, ElementsAre("3"));
}

// Rows that do not explain the digests prove nothing about the others, whenever they were looked for.
TEST_F(RecheckLooks, SettleNothingWhereRowsCouldNotBeLookedFor) {
  for (const auto& looks : std::vector<std::vector<Look>>{{{{}, false}, {{}, false}},
                                                          {{{}, false}, {{"1"}}},
                                                          {{{"1"}}, {{}, false}},
                                                          {{{"1"}, false}, {{"2"}}},
                                                          {{{"1"}}, {{"2"}, false}}})
    EXPECT_EQ(rechecked(looks).tables[0].state, State::different);
  // The next look that does explain them starts anew.
  EXPECT_EQ(rechecked({{{}, false}, {{"1"}}, {{"2"}}}).tables[0].state, State::unchecked);
  EXPECT_EQ(rechecked({{{}, false}, {{"1"}}, {{}}}).tables[0].state, State::equal);
  told.clear();
  EXPECT_EQ(rechecked({{{"1", "2"}}, {{}, false}, {{"2"}}}).tables[0].state, State::different);
  EXPECT_THAT(told, ElementsAre("2"));
}

TEST_F(RecheckLooks, SettleNothingWhenTheTableBecameAnother) {
  EXPECT_EQ(rechecked({{{"1"}}, {{"0a"}, true, {}}}).tables[0].state, State::different);
}

TEST_F(RecheckLooks, KeepWhatALaterOneCouldNotCompare) {
  const Remark made{"table public.u", "was created meanwhile"};
  const auto outcome = rechecked({{{"1"}}, {{"1"}, true, {"id"}, {made}}, {{"1"}, true, {"id"}, {made}}});
  ASSERT_THAT(outcome.unchecked, SizeIs(1));
  EXPECT_EQ(outcome.unchecked[0], made);
}

}  // namespace
}  // namespace verify
