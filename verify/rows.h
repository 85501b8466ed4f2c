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

/// Names the differing rows of a unit, all of them up to Options::most_differences. When they are few, the
/// sketch knows their keys, and only they are read again. Else the whole unit is read again on both sides:
/// rows of the differing buckets are kept, and compared by key (by the whole row, where there is no key).
/// Never by order: sorting text means something else under another collation.
///
/// When the buckets hold more rows than Options::row_memory allows to keep, a pass before it lets them all
/// through a RowSieve, and only what may differ is kept. Of what even then does not fit, a share is looked
/// at, and the others in passes of their own.
///
/// `table` gets the result in `rows`, which is complete when the rows that were found explain every differing
/// digest. Options::on_row hears of every row.
void find_rows(const Context& context, const Unit& unit, const Differing& differing, TableResult& table);

}  // namespace verify
