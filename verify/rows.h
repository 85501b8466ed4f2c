#pragma once

#include <cstdint>
#include <vector>

#include "verify/pass.h"
#include "verify/result.h"
#include "verify/unit.h"

namespace verify {

/// A bucket whose digests are not the same.
struct DifferentBucket {
  uint32_t bucket = 0;
  PerSide<pg::Digest> digests;
};

/// What is known of a unit whose sides differ.
struct Differing {
  std::vector<DifferentBucket> buckets;
  std::optional<pg::RowSketch> sketch;  ///< the source's rows without the target's
};

/// Names the differing rows of a unit. When they are few, the sketch knows their keys, and only they are read
/// again. Else the whole unit is read again on both sides, the rows of the differing buckets are kept, and
/// compared by key (by the whole row, where there is no key). Never by order: sorting text means something
/// else under another collation.
///
/// Memory: rows of as many buckets at a time as kRowsAtATime allows, about 150 bytes each and 8 for each
/// column and their keys; a bucket that is larger is taken in shares of the keys. After kMostPasses passes
/// over the unit the rest is not looked into, and said to be so.
///
/// `table` gets the result in `rows`. Options::on_row hears of every row.
void find_rows(const Context& context, const Unit& unit, const Differing& differing, TableResult& table);

inline constexpr uint64_t kRowsAtATime = 1U << 18;
inline constexpr uint32_t kMostPasses = 8;

}  // namespace verify
