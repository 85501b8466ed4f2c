#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "verify/options.h"
#include "verify/progress.h"
#include "verify/result_journal.h"
#include "verify/side.h"
#include "verify/unit.h"

namespace verify {

/// What the phases of a comparison share. Everything in it that changes is thread-safe.
struct Context {
  const Options& options;
  const pg::DigestKey& key;
  PerSide<const Side*> sides{};  ///< the source is null after a copy
  Progress& progress;
  base::Stop stop;
  ResultJournal* journal = nullptr;  ///< what needs not be read again

  base::RetryNotice retry_notice(std::string what) const;
};

/// "read public.orders at the source"
std::string label(const Unit& unit, const Slice& slice);

/// Does something with every slice, from up to Options::jobs sessions on each side at once.
struct SlicePass {
  /// Called by several threads. After a lost connection it is called again for the same slice, so it keeps
  /// what it has found only at its end.
  std::function<void(Reader& reader, const Slice& slice, Progress::Scope& scope)> work;
  /// A slice that could not be read: refused, or lost in spite of every retry. Called by several threads.
  std::function<void(const Slice& slice, const base::Error& error)> failed;
};
/// Slices of a failed unit that `is_given_up` names are left out. Throws only Error{cancelled}, and what is
/// no base::Error.
void for_each_slice(const Context& context, const std::vector<Unit>& units, const std::vector<Slice>& slices,
                    const SlicePass& pass, const std::function<bool(uint32_t unit)>& is_given_up);

/// What was read of the units.
struct UnitReading {
  struct OneSide {
    uint32_t slices_left = 0;
    pg::BucketDigest buckets;
    SideFigures figures;
  };
  PerSide<OneSide> sides;
  /// The source's rows without the target's; only of large units, and until they turn out to be equal.
  std::optional<pg::RowSketch> sketch;
  bool equal = false;  ///< on both sides; the buckets and the sketch are gone
  bool failed = false;
  std::string reason;
  std::string hint;
};

/// Counts or digests the units. What the copy has recorded is taken from there.
std::vector<UnitReading> read_units(const Context& context, const std::vector<Unit>& units);

}  // namespace verify
