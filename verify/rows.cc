#include "verify/rows.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

void tell(const Context& context, TableResult& table, std::vector<RowDifference> differences) {
  auto& rows = *table.rows;
  for (auto& row : differences) {
    count(rows, row.kind);
    if (context.options.on_row) context.options.on_row(table, row);
    if (rows.rows.size() < context.options.max_rows) rows.rows.push_back(std::move(row));
  }
}

struct PassPlan {
  std::vector<Filter> passes;
  uint64_t buckets_left = 0;
};

uint64_t rows_of(const DifferentBucket& bucket) { return bucket.digests[0].rows + bucket.digests[1].rows; }

PassPlan plan_passes(const std::vector<DifferentBucket>& buckets, uint32_t bucket_count) {
  PassPlan plan;
  uint64_t rows = 0;
  for (const auto& bucket : buckets) {
    const auto own = rows_of(bucket);
    const auto shares = static_cast<uint32_t>(own / kRowsAtATime + 1);
    const bool fits = !plan.passes.empty() && plan.passes.back().shares == 1 && rows + own <= kRowsAtATime;
    if (!fits && plan.passes.size() + shares > kMostPasses) {
      ++plan.buckets_left;
      continue;
    }
    if (!fits) {
      rows = 0;
      for (uint32_t share = 0; share < shares; ++share)
        plan.passes.push_back({std::vector<bool>(bucket_count), share, shares, {}});
    }
    rows += own;
    for (uint32_t share = 0; share < shares; ++share)
      plan.passes[plan.passes.size() - 1 - share].buckets[bucket.bucket] = true;
  }
  return plan;
}

// Buckets of a side that do not hold now what their digest was made of.
uint64_t moved(const std::vector<DifferentBucket>& buckets, const Filter& filter, const Entries& found,
               Role role) {
  return static_cast<uint64_t>(std::ranges::count_if(buckets, [&](const DifferentBucket& bucket) {
    return filter.buckets[bucket.bucket] &&
           found.digests[index(role)].buckets()[bucket.bucket] != bucket.digests[index(role)];
  }));
}

void add_note(std::string& note, std::string_view text) {
  if (!note.empty()) note += "; ";
  note += text;
}

// The rows that explain the digests: with those of the other side added, each side's are the same.
bool explains(const std::vector<DifferentBucket>& buckets, const Entries& found) {
  auto source = found.digests[0];
  auto target = found.digests[1];
  for (const auto& bucket : buckets) {
    source[bucket.bucket] += bucket.digests[1];
    target[bucket.bucket] += bucket.digests[0];
  }
  return source == target;
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

// Few differences: the sketch knows their keys, and only those rows are read. What it says counts only when
// the rows explain every digest.
bool pinpoint(const Context& context, const Unit& unit, const std::vector<DifferentBucket>& buckets,
              const pg::RowSketch& sketch, TableResult& table) {
  const auto rows = sketch.decode();
  if (!rows || rows->empty()) return false;
  const auto keys = key_list(unit, *rows);
  if (!keys) return false;
  // A list of VALUES is joined, by index or by hash; a plain list of many keys of several columns is not.
  const Filter filter{std::vector<bool>(unit.shape.buckets, true), 0, 1,
                      fmt::format("({}) IN (VALUES {})", pg::quote_list(unit.key), *keys)};
  auto found = collect(context, unit, filter);
  if (found.failed || !explains(buckets, found)) return false;
  tell(context, table, differences_of(unit, found));
  table.rows->complete = true;
  return true;
}

}  // namespace

void find_rows(const Context& context, const Unit& unit, const Differing& differing, TableResult& table) {
  const auto& buckets = differing.buckets;
  table.rows.emplace();
  if (differing.sketch && pinpoint(context, unit, buckets, *differing.sketch, table)) return;
  auto& rows = *table.rows;
  const auto plan = plan_passes(buckets, unit.shape.buckets);
  rows.buckets_left = plan.buckets_left;
  rows.complete = plan.buckets_left == 0;
  PerSide<uint64_t> changed_since{};
  for (const auto& filter : plan.passes) {
    ++rows.passes;
    auto found = collect(context, unit, filter);
    if (found.failed) {
      rows.complete = false;
      add_note(rows.note, found.why);
      break;
    }
    tell(context, table, differences_of(unit, found));
    if (filter.share > 0) continue;
    for (const auto role : kSides) changed_since[index(role)] += moved(buckets, filter, found, role);
  }
  if (rows.buckets_left > 0)
    add_note(rows.note, fmt::format("{} more differing digests were not looked into", rows.buckets_left));
  for (const auto role : kSides) {
    if (changed_since[index(role)] == 0) continue;
    rows.complete = false;
    add_note(rows.note,
             fmt::format("the {} has changed since its digests were made, in {} of {} digests that "
                         "differ: their rows are shown as they are now",
                         name_of(role), changed_since[index(role)], buckets.size()));
  }
}

}  // namespace verify
