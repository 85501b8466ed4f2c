#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pg {

/// The rows of a table on the blocks [first, last); last 0: to the end, both 0: all of it.
struct BlockRange {
  uint64_t first = 0;
  uint64_t last = 0;

  /// As a condition on ctid, which the server answers by a TID range scan since version 14; empty for all.
  std::string condition() const;
};

/// Which tables are cut into ranges of blocks, and of how many bytes (TOAST included).
struct SplitRule {
  uint64_t above = 0;
  uint64_t chunk = 0;
};
/// A table in one piece is read without the executor, and when it is copied, written by one backend and
/// FROZEN: two streams for one table cost 13 percent more than two for two tables (docs/benchmarks.md). So a
/// table is cut when one of `jobs` streams would be busy with it longer than its fair share of `total` bytes
/// takes, or when a lost connection would cost more than a gigabyte of work. `size`, if given, is both
/// numbers.
SplitRule split_rule(std::optional<uint64_t> size, unsigned jobs, uint64_t total);

}  // namespace pg
