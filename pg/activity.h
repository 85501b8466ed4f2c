#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/stop.h"
#include "pg/conninfo.h"
#include "pg/snapshot.h"

namespace pg {

/// Another session of the database, as a look found it. Times are the server's clock, in microseconds.
struct SessionActivity {
  int64_t pid = 0;
  std::string application;
  int64_t began = 0;  ///< 0: hidden from us
  /// When it was last seen to do something; the time of the look if it is at it, or hidden.
  int64_t since = 0;
  bool idle = false;  ///< between two transactions, and since then
};

/// What a database was told to write up to a moment, as the server knows it: two of these tell whether rows
/// were written in between, without reading them.
struct Activity {
  SnapshotMark mark;
  /// Of the server's counters: since when they count. Another one: they were lost in between.
  std::string counted_since;
  /// Rows that were inserted, updated and deleted, large objects and what TRUNCATE leaves behind among them.
  /// A session tells this late.
  std::string written;
  /// Of the values of sequences, as they are: most nextval() assign no transaction id. Where a sequence that
  /// nobody has used is set to, a view does not tell.
  std::string sequences;
  int64_t at = 0;  ///< the server's clock, in microseconds
  std::vector<SessionActivity> sessions;
  /// How long a session that does nothing may keep what it wrote to itself; 0: for ever (before version 15).
  std::chrono::microseconds idle_tells{};
  /// After so long one that goes on working has told it at the end of a transaction.
  std::chrono::microseconds busy_tells{};
};

/// Opens sessions of its own.
Activity read_activity(const Conninfo& conninfo, const base::Stop& stop);

enum class Writes {
  none,
  some,
  untold,   ///< a session may still have to tell the counters: a later look may know
  unknown,  ///< the counters were lost, or the server has none: no later look will know
};

struct WritesBetween {
  Writes writes = Writes::none;
  std::vector<SessionActivity> untold;  ///< by whom, if it is untold
};

/// Was anything written between `earlier` and `end`? As `later` knows it, which is `end` or a look after it;
/// what was written after `end` may be counted, too. None: not one transaction id was assigned in the
/// cluster, or else the counters are the same and everybody who was at work has told them: it has ended, or
/// has been idle long enough, or has come to the end of a transaction long enough after `end`. So neither
/// another database's writes nor autovacuum count. Sequences are compared by their values.
WritesBetween writes_between(const Activity& earlier, const Activity& end, const Activity& later);

}  // namespace pg
