#include "pg/block_range.h"

#include <algorithm>

#include <fmt/format.h>

namespace pg {

std::string BlockRange::condition() const {
  std::string out;
  if (first > 0) out = fmt::format("ctid >= '({},0)'::pg_catalog.tid", first);
  if (last > 0) out += fmt::format("{}ctid < '({},0)'::pg_catalog.tid", out.empty() ? "" : " AND ", last);
  return out;
}

SplitRule split_rule(std::optional<uint64_t> size, unsigned jobs, uint64_t total) {
  if (size) return {*size, *size};
  constexpr uint64_t kSmallest = 128ULL << 20;
  constexpr uint64_t kLargest = 1ULL << 30;
  const auto share = total / std::max(1U, jobs);
  const auto above = std::clamp(share + share / 4, kSmallest, kLargest);
  return {above, std::max(kSmallest, above / 2)};
}

}  // namespace pg
