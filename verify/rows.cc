#include "verify/rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "base/format.h"
#include "verify/entries.h"
#include "verify/key_literal.h"

namespace verify {
namespace {

void count(RowDifferences& rows, RowDifference::Kind kind) {
  switch (kind) {
    case RowDifference::Kind::missing:
      ++rows.missing;
      break;
    case RowDifference::Kind::extra:
      ++rows.extra;
      break;
    case RowDifference::Kind::changed:
      ++rows.changed;
      break;
    case RowDifference::Kind::duplicated:
      ++rows.duplicated;
      break;
  }
}

// Buckets of a side that do not hold now what their digest was made of.
uint64_t moved(const std::vector<DifferentBucket>& buckets, const Reading& reading, Role role) {
  return static_cast<uint64_t>(std::ranges::count_if(buckets, [&](const DifferentBucket& bucket) {
    return reading.digests[index(role)].buckets()[bucket.bucket] != bucket.digests[index(role)];
  }));
}

void add_note(std::string& note, std::string_view text) {
  if (!note.empty()) note += "; ";
  note += text;
}

// "('17'::bigint, 'x'::text), ('18'::bigint, 'y'::text)"; nothing when a key cannot be written as SQL.
std::optional<std::string> key_list(const Unit& unit, const std::vector<pg::RowSketch::Row>& rows) {
  std::set<std::string> keys;
  for (const auto& row : rows) {
    auto literals = key_literals(unit.shape.format, unit.key_types, row.key);
    if (!literals) return std::nullopt;
    for (size_t i = 0; i < literals->size(); ++i) (*literals)[i] += "::" + unit.key_types[i];
    keys.insert(fmt::format("({})", fmt::join(*literals, ", ")));
  }
  return fmt::format("{}", fmt::join(keys, ", "));
}

// Without the values that are shown, and without the columns.
constexpr uint64_t kEntryBytes = 256;
// A sieve that a lost connection has spoiled is made anew that often.
constexpr unsigned kMostSieves = 3;
// How full a sieve is to be of whose cells more than that were not zero.
constexpr double kWantedFill = 0.1;

class Search {
 public:
  Search(const Context& context, const Unit& unit, const Differing& differing, TableResult& table)
      : context_(context),
        unit_(unit),
        buckets_(differing.buckets),
        sketch_(differing.sketch),
        table_(table),
        rows_(table.rows.emplace()),
        filter_{std::vector<bool>(unit.shape.buckets), {}, nullptr, {}},
        kept_{pg::BucketDigest(unit.shape.buckets), pg::BucketDigest(unit.shape.buckets)} {
    for (const auto& bucket : buckets_) {
      filter_.buckets[bucket.bucket] = true;
      rows_to_look_at_ += bucket.digests[0].rows + bucket.digests[1].rows;
    }
    entry_bytes_ = kEntryBytes + unit.columns.size() * sizeof(uint64_t);
    const auto rows = std::max(table.target.digest.rows, uint64_t{1});
    if (context.options.show_values) entry_bytes_ += unit.bytes(Role::target) / rows;
  }

  void run() {
    if (sketch_ && pinpoint()) return;
    todo_.push_back({});
    while (!todo_.empty() && !stopped_) {
      auto work = std::move(todo_.back());
      todo_.pop_back();
      say(work);
      if (wants_sieve(work)) {
        sift(std::move(work));
      } else {
        collect(work);
      }
    }
    conclude();
  }

 private:
  struct Work {
    Share share;
    std::shared_ptr<const RowSieve> sieve;
    unsigned spoiled = 0;  // sieves
  };

  // Few differences: the sketch knows their keys, and only those rows are read. What it says counts only when
  // the rows explain every digest.
  bool pinpoint() {
    const auto rows = sketch_->decode();
    if (!rows || rows->empty()) return false;
    const auto keys = key_list(unit_, *rows);
    if (!keys) return false;
    // A list of VALUES is joined, by index or by hash; a plain list of many keys of several columns is not.
    const Filter filter{std::vector<bool>(unit_.shape.buckets, true),
                        {},
                        nullptr,
                        fmt::format("({}) IN (VALUES {})", pg::quote_list(unit_.key), *keys)};
    auto found = verify::collect(context_, unit_, filter);
    if (found.failed || !found.left.empty() || unexplained(found.digests) > 0) return false;
    if (!agree_elsewhere(found.digests)) return false;
    tell(found);
    rows_.complete = !stopped_;
    return true;
  }

  // One pass may be very long.
  void say(const Work& work) const {
    if (rows_.passes == 0) return;
    spdlog::info("{}: pass {} to find the rows that differ{}", table_.name, rows_.passes + 1,
                 work.share.of == 1 ? "" : fmt::format(", for one of {} shares of the keys", work.share.of));
  }

  uint64_t memory_for(double rows) const { return static_cast<uint64_t>(rows) * entry_bytes_; }
  double rows_of(const Share& share) const {
    return static_cast<double>(rows_to_look_at_) / static_cast<double>(share.of);
  }

  bool wants_sieve(const Work& work) const {
    return !work.sieve && work.spoiled < kMostSieves &&
           memory_for(rows_of(work.share)) > context_.options.row_memory;
  }

  void sift(Work work) {
    ++rows_.passes;
    filter_.share = work.share;
    auto sieve = std::make_shared<RowSieve>(context_.options.row_memory);
    if (!look_at(verify::sift(context_, unit_, filter_, *sieve))) return;
    if (sieve->is_spoiled()) {
      ++work.spoiled;
      todo_.push_back(std::move(work));
      return;
    }
    if (const auto shares = shares_wanted(work.share, *sieve); shares > 1) {
      for (uint64_t i = 0; i < shares; ++i)
        todo_.push_back({{work.share.number + i * work.share.of, work.share.of * shares}, nullptr});
      return;
    }
    work.sieve = std::move(sieve);
    todo_.push_back(std::move(work));
  }

  // A sieve that is so full that equal rows stay in it costs passes; so does one for each of several shares.
  uint64_t shares_wanted(const Share& share, const RowSieve& sieve) const {
    const auto fill = sieve.fill();
    if (fill <= kWantedFill) return 1;
    const auto shares = std::bit_ceil(static_cast<uint64_t>(
        std::ceil(std::log1p(-std::min(fill, RowSieve::kFullest)) / std::log1p(-kWantedFill))));
    const auto equal_rows = std::max(0.0, rows_of(share) - 2 * sieve.keys()) * fill * fill * fill;
    return memory_for(equal_rows) / context_.options.row_memory > shares ? shares : 1;
  }

  void collect(const Work& work) {
    ++rows_.passes;
    filter_.share = work.share;
    filter_.sieve = work.sieve.get();
    auto found = verify::collect(context_, unit_, filter_);
    filter_.sieve = nullptr;
    if (!look_at(found)) return;
    for (const auto& share : found.left) todo_.push_back({share, work.sieve});
    for (const auto role : kSides)
      for (const auto& entry : found.sides[index(role)])
        for (uint64_t i = 0; i < entry.copies; ++i) kept_[index(role)][entry.bucket].add_row(entry.hash);
    tell(found);
  }

  bool look_at(const Reading& reading) {
    if (reading.failed) {
      stopped_ = true;
      add_note(rows_.note, reading.why);
      return false;
    }
    if (std::exchange(is_first_, false))
      for (const auto role : kSides) changed_since_[index(role)] = moved(buckets_, reading, role);
    return true;
  }

  void tell(Entries& found) {
    tell_differences(unit_, found, [&](RowDifference row) {
      if (stopped_) return;
      if (rows_.total() == context_.options.most_differences) {
        stopped_ = true;
        add_note(
            rows_.note,
            fmt::format("more rows differ: the search for them ended with {}, which --max-differences sets",
                        base::human_count(rows_.total())));
        return;
      }
      count(rows_, row.kind);
      if (context_.options.on_row) context_.options.on_row(table_, row);
      if (rows_.rows.size() < context_.options.max_rows) rows_.rows.push_back(std::move(row));
    });
  }

  // Rows explain a digest when, with those of the other side added, both are the same.
  uint64_t unexplained(const PerSide<pg::BucketDigest>& found) const {
    return static_cast<uint64_t>(std::ranges::count_if(buckets_, [&](const DifferentBucket& bucket) {
      auto source = found[0].buckets()[bucket.bucket];
      auto target = found[1].buckets()[bucket.bucket];
      source += bucket.digests[1];
      target += bucket.digests[0];
      return source != target;
    }));
  }

  // Each server decides for itself which rows have these keys: a collation of one of them may find others.
  bool agree_elsewhere(const PerSide<pg::BucketDigest>& found) const {
    const auto& differs = filter_.buckets;
    for (size_t bucket = 0; bucket < differs.size(); ++bucket)
      if (!differs[bucket] && found[0].buckets()[bucket] != found[1].buckets()[bucket]) return false;
    return true;
  }

  void conclude() {
    rows_.buckets_left = unexplained(kept_);
    rows_.complete = !stopped_ && rows_.buckets_left == 0;
    bool has_changed = false;
    for (const auto role : kSides) {
      if (changed_since_[index(role)] == 0) continue;
      has_changed = true;
      add_note(rows_.note,
               fmt::format("the {} has changed since its digests were made, in {} of {} digests that "
                           "differ: their rows are shown as they are now",
                           name_of(role), changed_since_[index(role)], buckets_.size()));
    }
    if (has_changed) rows_.complete = false;
    if (!has_changed && rows_.buckets_left > 0)
      add_note(rows_.note,
               fmt::format("{} of {} digests that differ are not explained by the rows that were found",
                           rows_.buckets_left, buckets_.size()));
  }

  const Context& context_;
  const Unit& unit_;
  const std::vector<DifferentBucket>& buckets_;
  const std::optional<pg::RowSketch>& sketch_;
  TableResult& table_;
  RowDifferences& rows_;
  Filter filter_;
  PerSide<pg::BucketDigest> kept_;  // digests of the rows that were compared one by one
  uint64_t rows_to_look_at_ = 0;    // in differing buckets, of both sides
  uint64_t entry_bytes_ = 0;        // about, of one row that is kept
  std::vector<Work> todo_;
  PerSide<uint64_t> changed_since_{};  // buckets
  bool is_first_ = true;
  bool stopped_ = false;  // there is more that was not looked at
};

}  // namespace

void find_rows(const Context& context, const Unit& unit, const Differing& differing, TableResult& table) {
  Search(context, unit, differing, table).run();
}

}  // namespace verify
