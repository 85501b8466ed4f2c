#pragma once

#include <cstdint>
#include <string>

#include "base/stop.h"
#include "pg/conninfo.h"
#include "pg/snapshot.h"

namespace pg {

/// What a database was told to write up to a moment, as the server knows it: two of these tell whether rows
/// were written in between, without reading them.
struct Activity {
  SnapshotMark mark;
  /// Of the server's counters: since when they count. Another one: they were lost in between.
  std::string counted_since;
  /// Rows that were inserted, updated and deleted, large objects and what TRUNCATE leaves behind among them,
  /// and the values of sequences.
  std::string written;
  int64_t at = 0;  ///< the server's clock, in microseconds
  /// When another session was last seen to do something; `at` when one is at it, or hides it from us.
  int64_t last_active = 0;
};

/// Opens sessions of its own.
Activity read_activity(const Conninfo& conninfo, const base::Stop& stop);

enum class Writes { none, some, unknown };

/// None: not one transaction id was assigned in the cluster since, or else the counters are the same, and no
/// session did anything that may still have to tell them what it wrote: it does so when it ends, or when it
/// has been idle for a while. So neither another database's writes nor autovacuum count.
Writes writes_between(const Activity& earlier, const Activity& later);

}  // namespace pg
