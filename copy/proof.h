#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "copy/context.h"
#include "copy/sql.h"

namespace copy {

/// What is proven together: one relation, or all leaves that were loaded through one root.
struct ProofUnit {
  std::vector<uint32_t> relations;  ///< indexes into Plan::relations; the first one gives the shape
};

std::vector<ProofUnit> proof_units(const Plan& plan);

/// Reads what was loaded back from the target, once, and compares it with what left the source: counts and
/// digests, by bucket. Thread-safe; a unit may be read in slices by several workers.
class Proof {
 public:
  Proof(const Context& context, std::vector<ProofUnit> units);

  const std::vector<ProofUnit>& units() const { return units_; }
  bool is_proven(uint32_t unit) const;
  /// Cuts a unit into slices, now that its rows are there: how many.
  uint32_t prepare(uint32_t unit, pg::Connection& target);
  /// Reads one slice. True for the last one to finish: then compare() is to be called. Must not be repeated
  /// once it has returned.
  bool read_slice(uint32_t unit, uint32_t slice, pg::Connection& target);
  /// Compares what was read with the ledger, and records the result. May be repeated after it has thrown.
  void compare(uint32_t unit, pg::Connection& target);

 private:
  struct State {
    std::vector<pg::BlockRange> slices;
    uint32_t left = 0;
    pg::BucketDigest found;
  };
  std::string slice_sql(const ProofUnit& unit, uint32_t slice, const pg::BlockRange& blocks) const;

  const Context& context_;
  std::vector<ProofUnit> units_;
  base::Guarded<std::unordered_map<uint32_t, State>> states_;  // of the units that are being read
};

}  // namespace copy
