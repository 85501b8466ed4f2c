#pragma once

#include <algorithm>
#include <vector>

#include "pg/connection.h"

namespace pg {

/// Oids that are asked for often. Sorted in place, which takes a tenth of what a set does: there may be ten
/// thousands.
class Oids {
 public:
  void add(Oid oid) { oids_.push_back(oid); }
  /// After the last add(), and before the first contains().
  void sort() { std::ranges::sort(oids_); }
  bool contains(Oid oid) const { return std::ranges::binary_search(oids_, oid); }

 private:
  std::vector<Oid> oids_;
};

}  // namespace pg
