#include "cli/verify_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/verify_section.h"

namespace cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using verify::Outcome;
using verify::RowDifference;
using verify::State;
using verify::TableResult;

TableResult table(const std::string& name, State state, uint64_t source_rows, uint64_t target_rows) {
  TableResult out;
  out.name = name;
  out.kind = "table";
  out.state = state;
  out.columns = {"id", "note"};
  out.key = {"id"};
  out.source.digest.rows = source_rows;
  out.target.digest.rows = target_rows;
  return out;
}

Outcome two_tables(State second) {
  Outcome outcome;
  outcome.source = {"postgres://app@old/db", "15.18", {"1", 5, "10:10:", "0/1"}, false};
  outcome.target = {"postgres://app@new/db", "17.2", {"2", 6, "20:20:", "0/2"}, false};
  outcome.tables = {table("public.a", State::equal, 10, 10), table("public.b", second, 5, 4)};
  outcome.catalog.emplace();
  outcome.elapsed = std::chrono::milliseconds(1500);
  return outcome;
}

std::string verify_text(const Outcome& outcome, const VerifyContext& context = {}) {
  return section_text(verify_section(verify_json(outcome, context)), false);
}

TEST(VerifyReport, EqualNamesWhatWasCompared) {
  const auto text = verify_text(two_tables(State::equal));
  EXPECT_THAT(text, StartsWith("EQUAL: 2 tables, 15 rows, every row digested, in 1.5 s\n"));
  EXPECT_THAT(
      text,
      HasSubstr("source    postgres://app@old/db, PostgreSQL 15.18, snapshot 10:10: at LSN 0/1, system 1\n"));
  EXPECT_THAT(text, HasSubstr("voids this verdict"));
  auto counted = two_tables(State::equal);
  counted.digests = false;
  EXPECT_THAT(verify_line(verify_json(counted, {})), HasSubstr("rows counted, not compared"));
  auto after_copy = two_tables(State::equal);
  after_copy.catalog.reset();
  EXPECT_EQ(verify_line(verify_json(after_copy, {})),
            "EQUAL: 2 tables, 15 rows, every row digested, definitions not compared, in 1.5 s");
}

TEST(VerifyReport, SaysWhichRowsWereSelected) {
  auto outcome = two_tables(State::equal);
  outcome.tables[0].condition = " of_the_extension";
  outcome.tables[1].condition = " note <> 'x'";
  EXPECT_THAT(verify_text(outcome), Not(HasSubstr("selected")));
  outcome.tables[1].filtered = true;
  const auto text = verify_text(outcome);
  EXPECT_THAT(text,
              StartsWith("EQUAL: 2 tables, 15 rows, every one of the selected rows digested, in 1.5 s\n"));
  EXPECT_THAT(text, HasSubstr("selected rows:\n  of public.b only rows where note <> 'x' were compared\n"));
  EXPECT_THAT(text, Not(HasSubstr("of public.a")));
  outcome.digests = false;
  EXPECT_THAT(verify_line(verify_json(outcome, {})),
              HasSubstr("15 rows, selected rows counted, not compared"));
}

TEST(VerifyReport, SaysWhatACopyHasNoDigestsOf) {
  auto outcome = two_tables(State::equal);
  outcome.left_to_target = {3, 5};
  EXPECT_EQ(verify_line(verify_json(outcome, {})),
            "EQUAL: 2 tables, 15 rows, every row digested, 3 materialized views and 5 generated columns not "
            "compared, in 1.5 s");
  outcome.left_to_target = {1, 0};
  outcome.catalog.reset();
  EXPECT_THAT(verify_line(verify_json(outcome, {})),
              HasSubstr("digested, definitions and 1 materialized view not compared, in"));
  outcome.tables[1].state = State::different;
  EXPECT_THAT(verify_line(verify_json(outcome, {})),
              HasSubstr("1 difference, definitions and 1 materialized view not compared, after"));
}

TEST(VerifyReport, DifferentNamesRowsAndColumns) {
  auto outcome = two_tables(State::different);
  auto& rows = outcome.tables[1].rows.emplace();
  rows.missing = 2;
  rows.changed = 1;
  rows.complete = true;
  rows.rows.push_back({RowDifference::Kind::changed, {"17"}, {"note"}, 1, 1, {}, {}});
  rows.rows.push_back({RowDifference::Kind::missing, {"18"}, {}, 1, 0, {}, {}});
  const auto text = verify_text(outcome, {.differences_file = "rows.jsonl"});
  EXPECT_THAT(text, StartsWith("DIFFERENT: 1 of 2 tables equal, 1 difference, after 1.5 s\n"));
  EXPECT_THAT(text, HasSubstr("  public.b: 5 rows at the source, 4 on the target: 2 missing, 1 changed\n"));
  EXPECT_THAT(text, HasSubstr("    changed    id=17: note\n    missing    id=18\n"));
  EXPECT_THAT(text, HasSubstr("    and 1 more, all of them in rows.jsonl\n"));
  EXPECT_EQ(verify_json(outcome, {}).at("exit_code"), 1);
}

// A sum of what was found is no total, and a file that has all of that does not have all.
TEST(VerifyReport, RowsThatAreNotAllAreNotShownAsAll) {
  auto outcome = two_tables(State::different);
  auto& rows = outcome.tables[1].rows.emplace();
  rows.changed = 3;
  rows.note = "more rows differ";
  rows.rows.push_back({RowDifference::Kind::changed, {"17"}, {"note"}, 1, 1, {}, {}});
  const auto report = verify_json(outcome, {.differences_file = "rows.jsonl"});
  EXPECT_EQ(report.at("tables").at(1).at("rows").at("complete"), false);
  const auto text = section_text(verify_section(report), false);
  EXPECT_THAT(text, HasSubstr("4 on the target: 3 changed, and maybe more\n"));
  EXPECT_THAT(text,
              HasSubstr("    and 2 more that were found, all of them in rows.jsonl\n    more rows differ\n"));
}

TEST(VerifyReport, ValuesAreThereOnlyWhenTheResultHasThem) {
  const auto b = table("public.b", State::different, 1, 1);
  RowDifference row{RowDifference::Kind::changed, {"17"}, {"note"}, 1, 1, {"old"}, {std::nullopt}};
  EXPECT_EQ(row_text(row_json(b, row)), "changed    id=17: note \"old\" -> NULL");
  EXPECT_EQ(row_json(b, row).at("target_values"), (Json{{"note", nullptr}}));
  row.source_values.clear();
  EXPECT_THAT(row_text(row_json(b, row)), Not(HasSubstr("old")));
  EXPECT_FALSE(row_json(b, row).contains("source_values"));
}

TEST(VerifyReport, WhatWasNotComparedOutweighsDifferences) {
  auto outcome = two_tables(State::unchecked);
  outcome.tables[1].reason = "permission denied";
  outcome.differences.push_back({"sequence public.s", "is behind"});
  EXPECT_EQ(outcome.exit_code(), 3);
  const auto text = verify_text(outcome);
  EXPECT_THAT(text,
              StartsWith("UNVERIFIED: 1 thing could not be compared; 1 of 2 tables equal, 1 difference"));
  EXPECT_THAT(text, HasSubstr("not compared:\n  table public.b: permission denied\n"));
  EXPECT_THAT(text, HasSubstr("different:\n  sequence public.s: is behind\n"));
}

TEST(VerifyReport, NothingASideSaysReachesTheTerminalAsItIs) {
  auto outcome = two_tables(State::different);
  outcome.tables[1].name = "public.\x1b[31mb";
  outcome.tables[1].rows.emplace().rows.push_back(
      {RowDifference::Kind::missing, {"a\x1b]0;title\x07"}, {}, 1, 0, {}, {}});
  outcome.tables[1].rows->missing = 1;
  EXPECT_THAT(verify_text(outcome), Not(HasSubstr("\x1b")));
}

TEST(VerifyReport, WaivedIsNotEqual) {
  auto outcome = two_tables(State::equal);
  outcome.user_waived = true;
  EXPECT_EQ(outcome.exit_code(), 5);
  EXPECT_EQ(verify_json(outcome, {}).at("verdict"), "waived");
}

}  // namespace
}  // namespace cli
