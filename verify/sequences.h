#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "verify/options.h"
#include "verify/result.h"
#include "verify/side.h"

namespace verify {

/// A sequence as it stands now: sequences know no snapshots.
struct SequenceState {
  int64_t last_value = 0;
  bool is_called = false;
  int64_t increment = 1;
  bool cycle = false;
  /// The greatest value (the least, when the sequence descends) in the integer column that owns it.
  std::optional<int64_t> reached;
  std::string owner;  ///< "public.orders.id", when a column owns it
  /// An extension's, which counts it as the user's configuration: it is in no catalog that is compared.
  bool is_configuration = false;
};

struct SequenceReading {
  std::map<pg::QualifiedName, SequenceState> sequences;
  std::set<pg::QualifiedName> left_out;  ///< not selected, or unreadable: the other side's is not compared
  std::map<std::string, std::string> skipped;  ///< "sequence public.orders_id_seq": why it is not selected
  std::vector<Remark> unchecked;
};

/// Reads them all, in a few statements.
SequenceReading read_sequences(Side& side, const Options& options);

/// What a copy recorded, with the target's increments.
SequenceReading recorded_sequences(const Recorded& recorded, const SequenceReading& target);

/// A sequence passes when the target will not hand out a value that the source has handed out, nor one that
/// its owning column holds already (unless the source would do the same). Sequences that are on one side only
/// differ, unless `with_catalog`: then those have been named, which
/// patterns would have kept it from. `mends` gets, by the difference's object, the
/// statement that sets the target's sequence; run later, it moves it forward only.
void compare_sequences(const SequenceReading& source, const SequenceReading& target, bool with_catalog,
                       Outcome& outcome, std::map<std::string, std::string>* mends = nullptr);

}  // namespace verify
