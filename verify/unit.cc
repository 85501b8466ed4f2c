#include "verify/unit.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include <fmt/format.h>

#include "pg/large_objects.h"

namespace verify {
namespace {

// " FROM ONLY t WHERE …". A materialized view takes ONLY too.
std::string from_clause(const Unit& unit, const Slice& slice, const std::string& condition = {}) {
  std::string where;
  for (const auto& part : {slice.blocks.condition(), unit.condition, condition})
    if (!part.empty()) where += fmt::format("{} ({})", where.empty() ? " WHERE" : " AND", part);
  return fmt::format(" FROM ONLY {}{}", unit.parts[index(slice.role)][slice.part].name.sql(), where);
}

// All rows of a table as they are stored: COPY of the table itself, which like ONLY leaves out what inherits
// from it, does without the executor.
bool is_plain(const Unit& unit, const Part& part, const Slice& slice) {
  return part.is_table && !part.generates && slice.blocks.first == 0 && slice.blocks.last == 0 &&
         unit.condition.empty() && !unit.columns.empty();
}

}  // namespace

uint64_t Unit::bytes(Role role) const {
  const auto& list = parts[index(role)];
  return std::accumulate(list.begin(), list.end(), uint64_t{0},
                         [](uint64_t sum, const Part& part) { return sum + part.bytes; });
}

std::vector<Slice> slices_of(const Unit& unit, uint32_t number, Role role, int major,
                             const pg::SplitRule& rule) {
  // TID range scans came with 14; before it every slice would read the whole table.
  constexpr int kFirstMajorWithTidRanges = 14;
  std::vector<Slice> slices;
  const auto& parts = unit.parts[index(role)];
  for (uint32_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    if (part.bytes <= rule.above || part.blocks <= 1 || major < kFirstMajorWithTidRanges) {
      slices.push_back({number, role, i, {}, part.bytes});
      continue;
    }
    // Blocks of heap that, with their share of TOAST, make up one slice.
    const double share = static_cast<double>(rule.chunk) / static_cast<double>(part.bytes);
    const auto step = std::max<uint64_t>(1, static_cast<uint64_t>(share * static_cast<double>(part.blocks)));
    for (uint64_t first = 0; first < part.blocks; first += step)
      slices.push_back({number, role, i, {first, first + step}, part.bytes * step / part.blocks});
    slices.back().blocks.last = 0;
  }
  return slices;
}

std::string copy_sql(const Unit& unit, const Slice& slice, const std::vector<std::string>& more,
                     const std::string& condition) {
  if (unit.kind == Unit::Kind::large_objects) return pg::read_large_objects_sql();
  const auto* format = unit.shape.format == pg::CopyFormat::binary ? " WITH (FORMAT binary)" : "";
  const auto& part = unit.parts[index(slice.role)][slice.part];
  if (more.empty() && condition.empty() && is_plain(unit, part, slice))
    return fmt::format("COPY {} ({}) TO STDOUT{}", part.name.sql(), pg::quote_list(unit.columns), format);
  auto list = pg::quote_list(unit.columns);
  for (const auto& expression : more) list += (list.empty() ? "" : ", ") + expression;
  return fmt::format("COPY (SELECT {}{}) TO STDOUT{}", list, from_clause(unit, slice, condition), format);
}

// The row is written once, and hashed twice.
std::string hash_sql(const Unit& unit, const Slice& slice, int64_t first_seed, int64_t second_seed) {
  const auto sum = [](int64_t seed) {
    return fmt::format("coalesce(pg_catalog.sum(pg_catalog.hashtextextended(v, '{}')), 0)", seed);
  };
  return fmt::format(
      "SELECT pg_catalog.count(*), {}, {} FROM (SELECT ROW({})::pg_catalog.text AS v{} OFFSET 0) r",
      sum(first_seed), sum(second_seed), pg::quote_list(unit.columns), from_clause(unit, slice));
}

std::string count_sql(const Unit& unit, const Slice& slice) {
  return "SELECT count(*)" + from_clause(unit, slice);
}

}  // namespace verify
