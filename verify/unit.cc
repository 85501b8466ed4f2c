#include "verify/unit.h"

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

std::string column_list(const Unit& unit) {
  std::string out;
  for (size_t i = 0; i < unit.columns.size(); ++i) {
    const auto column = pg::quote_identifier(unit.columns[i]);
    out += i == 0 ? "" : ", ";
    if (i < unit.floats.size() && unit.floats[i]) {
      out += fmt::format("CASE WHEN {0} = 'NaN' THEN 'NaN' ELSE {0} END", column);
    } else {
      out += column;
    }
  }
  return out;
}

}  // namespace

uint64_t Unit::bytes(Role role) const {
  const auto& list = parts[index(role)];
  return std::accumulate(list.begin(), list.end(), uint64_t{0},
                         [](uint64_t sum, const Part& part) { return sum + part.bytes; });
}

std::vector<Slice> slices_of(const Unit& unit, uint32_t number, Role role, int major, uint64_t split_size) {
  // TID range scans came with 14; before it every slice would read the whole table.
  constexpr int kFirstMajorWithTidRanges = 14;
  std::vector<Slice> slices;
  const auto& parts = unit.parts[index(role)];
  for (uint32_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    if (part.bytes <= split_size || part.blocks <= 1 || major < kFirstMajorWithTidRanges) {
      slices.push_back({number, role, i, {}, part.bytes});
      continue;
    }
    // Blocks of heap that, with their share of TOAST, make up one split size.
    const double share = static_cast<double>(split_size) / static_cast<double>(part.bytes);
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
  auto list = column_list(unit);
  for (const auto& expression : more) list += (list.empty() ? "" : ", ") + expression;
  return fmt::format("COPY (SELECT {}{}) TO STDOUT{}", list, from_clause(unit, slice, condition),
                     unit.shape.format == pg::CopyFormat::binary ? " WITH (FORMAT binary)" : "");
}

std::string count_sql(const Unit& unit, const Slice& slice) {
  return "SELECT count(*)" + from_clause(unit, slice);
}

}  // namespace verify
