#pragma once

#include <functional>

#include "base/stop.h"
#include "verify/options.h"
#include "verify/result.h"

namespace verify {

/// Compares, and looks at what differs again, up to Options::recheck times, each time under new snapshots: a
/// row that was only on its way (by replication, say) does not differ twice. A table is equal once a look
/// finds every digest of it equal, with a note; different in the end when a row of it, by its key (without
/// one by its hash, so all comparisons share a secret), differed every time. One of which other rows differ
/// each time is unchecked: those of the last look were never seen equal, and may be of a table that nobody
/// replicates. Only rows that explain every digest count for that: a table whose rows could not be looked for
/// stays different. The result's snapshots are the first ones.
///
/// Memory: kMostRowsHeld differing rows per table; a table with more is different without a second look.
Outcome compare_with_rechecks(const Options& options, const base::Stop& stop,
                              const std::function<Outcome(const Options&)>& compare_once);

inline constexpr size_t kMostRowsHeld = 100'000;

}  // namespace verify
