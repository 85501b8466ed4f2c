#pragma once

#include <cstdint>
#include <string>

namespace pg {

/// The rows of a table on the blocks [first, last); last 0: to the end, both 0: all of it.
struct BlockRange {
  uint64_t first = 0;
  uint64_t last = 0;

  /// As a condition on ctid, which the server answers by a TID range scan since version 14; empty for all.
  std::string condition() const;
};

}  // namespace pg
