#include "verify/recheck.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace verify {
namespace {

using Key = std::vector<std::string>;

// The differing rows of one table, as they are heard of.
struct Heard {
  std::vector<RowDifference> rows;
  bool too_many = false;
  bool others_each_time = false;  ///< they are those of the last look, and none differed in the one before
};
using HeardByTable = std::map<std::string, Heard>;

class Rechecks {
 public:
  Rechecks(const Options& options, base::Stop stop,
           const std::function<Outcome(const Options&)>& compare_once)
      : options_(options), stop_(std::move(stop)), compare_once_(compare_once) {}

  Outcome run() {
    const auto started = std::chrono::steady_clock::now();
    auto outcome = compare_once_(listening(options_, heard_));
    for (unsigned round = 1; round <= options_.recheck; ++round) {
      const auto pending = tables_to_look_at(outcome);
      if (pending.empty()) break;
      spdlog::info("{} of {} tables differ: looking at them again ({} of {})", pending.size(),
                   outcome.tables.size(), round, options_.recheck);
      stop_.sleep_for(options_.recheck_pause);
      look_again(outcome, pending);
    }
    take_back_what_moves(outcome);
    tell_the_rows(outcome);
    outcome.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    return outcome;
  }

 private:
  Options listening(const Options& options, HeardByTable& heard) const {
    auto out = options;
    out.recheck = 0;
    out.on_row = [this, &heard](const TableResult& table, const RowDifference& row) {
      auto& own = heard[table.name];
      if (own.too_many) return pass_on(table, row);
      own.rows.push_back(row);
      if (own.rows.size() < kMostRowsHeld) return;
      own.too_many = true;
      for (const auto& held : std::exchange(own.rows, {})) pass_on(table, held);
    };
    return out;
  }

  void pass_on(const TableResult& table, const RowDifference& row) const {
    if (options_.on_row) options_.on_row(table, row);
  }

  std::set<std::string> tables_to_look_at(const Outcome& outcome) {
    std::set<std::string> out;
    for (const auto& table : outcome.tables)
      if (table.state == State::different && !heard_[table.name].too_many) out.insert(table.name);
    return out;
  }

  void look_again(Outcome& outcome, const std::set<std::string>& pending) {
    HeardByTable heard;
    auto options = listening(options_, heard);
    options.only = pending;
    auto again = compare_once_(options);
    keep_unchecked(outcome, std::move(again.unchecked));
    const auto moment = fmt::format("source snapshot {}, target snapshot {}",
                                    again.source.snapshot.transactions, again.target.snapshot.transactions);
    for (auto& table : again.tables) {
      const auto before = std::ranges::find(outcome.tables, table.name, &TableResult::name);
      if (before == outcome.tables.end() || !pending.contains(table.name)) continue;
      if (settle(*before, table, heard[table.name]))
        outcome.notes.push_back(
            {table.name,
             fmt::format(
                 "rows differed, but none of them, and no other, when looked at again ({}): they were "
                 "on their way",
                 moment)});
      else if (table.rows)
        add_note(*table.rows, "looked at again: " + moment);
      *before = std::move(table);
    }
  }

  static void keep_unchecked(Outcome& outcome, std::vector<Remark> more) {
    for (auto& remark : more)
      if (std::ranges::find(outcome.unchecked, remark) == outcome.unchecked.end())
        outcome.unchecked.push_back(std::move(remark));
  }

  static void add_note(RowDifferences& rows, const std::string& text) {
    if (!rows.note.empty() && !text.empty()) rows.note += "; ";
    rows.note += text;
  }

  static bool is_of_one_form(const TableResult& one, const TableResult& other) {
    return one.key == other.key && one.columns == other.columns && one.format == other.format;
  }

  // Makes `table` what is known of it now, and keeps the rows that differed before too. True when it is
  // equal. When that leaves no row, those of this look are begun with anew: nobody has seen them equal yet.
  // Rows that do not explain the digests take nothing away: one that is not among them may differ.
  bool settle(const TableResult& previous, TableResult& table, Heard& now) {
    auto& before = heard_[table.name];
    if (table.state == State::equal) {
      table.rows.reset();
      return true;
    }
    if (table.state == State::unchecked) return false;
    const bool was_whole = previous.rows && previous.rows->complete;
    if (!was_whole || now.too_many || !is_of_one_form(previous, table)) {
      before = std::move(now);
      return false;
    }
    if (!table.rows || !table.rows->complete) {
      const auto why = table.rows ? table.rows->note : std::string();
      table.rows = previous.rows;
      add_note(*table.rows, why);
      return false;
    }
    std::set<Key> keys;
    for (const auto& row : before.rows) keys.insert(row.key);
    const auto is_new = [&](const RowDifference& row) { return !keys.contains(row.key); };
    before.others_each_time = std::ranges::all_of(now.rows, is_new);
    if (!before.others_each_time) std::erase_if(now.rows, is_new);
    before.rows = std::move(now.rows);
    keep_rows(*table.rows, before.rows);
    return false;
  }

  // Neither that rows stay different is known, nor that there was a moment without any.
  void take_back_what_moves(Outcome& outcome) {
    for (auto& table : outcome.tables) {
      if (table.state != State::different || !heard_[table.name].others_each_time) continue;
      table.state = State::unchecked;
      table.reason =
          "other rows differ each time it is looked at: those of the last look were never seen equal, on "
          "their way or not";
      table.hint = "stop the writers and compare again; or let --recheck look more often";
    }
  }

  void keep_rows(RowDifferences& rows, const std::vector<RowDifference>& kept) const {
    const auto count = [&](RowDifference::Kind kind) {
      return static_cast<uint64_t>(std::ranges::count(kept, kind, &RowDifference::kind));
    };
    rows.missing = count(RowDifference::Kind::missing);
    rows.extra = count(RowDifference::Kind::extra);
    rows.changed = count(RowDifference::Kind::changed);
    rows.duplicated = count(RowDifference::Kind::duplicated);
    const auto shown = std::min<size_t>(kept.size(), options_.max_rows);
    rows.rows.assign(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(shown));
  }

  void tell_the_rows(const Outcome& outcome) {
    for (const auto& table : outcome.tables)
      if (table.state == State::different)
        for (const auto& row : heard_[table.name].rows) pass_on(table, row);
  }

  const Options& options_;
  base::Stop stop_;
  const std::function<Outcome(const Options&)>& compare_once_;
  HeardByTable heard_;
};

}  // namespace

Outcome compare_with_rechecks(const Options& options, const base::Stop& stop,
                              const std::function<Outcome(const Options&)>& compare_once) {
  return Rechecks(options, stop, compare_once).run();
}

}  // namespace verify
