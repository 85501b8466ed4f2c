#pragma once

#include <string>
#include <vector>

#include "verify/pass.h"
#include "verify/result.h"
#include "verify/unit.h"

namespace verify {

/// A row that is looked at more closely: as little of it as tells it apart.
struct Entry {
  std::string identity;  ///< the key as it stands in the stream, or the row's hash
  base::uint128 hash = 0;
  std::vector<uint64_t> columns;                   ///< hashes, to see which differ
  std::vector<std::string> key;                    ///< as text
  std::vector<std::optional<std::string>> values;  ///< as text, when they are shown
};

/// Which rows become entries.
struct Filter {
  std::vector<bool> buckets;
  uint32_t share = 0;  ///< of `shares`, by a hash of the identity
  uint32_t shares = 1;
  std::string condition;  ///< SQL that the servers apply; with it, each part is read at one go
};

struct Entries {
  PerSide<std::vector<Entry>> sides;
  PerSide<pg::BucketDigest> digests;  ///< of the rows of the buckets, whatever their share
  bool failed = false;
  std::string why;
};

/// Reads the unit on both sides once.
Entries collect(const Context& context, const Unit& unit, const Filter& filter);

/// Pairs them by identity, and says what differs.
std::vector<RowDifference> differences_of(const Unit& unit, Entries& entries);

}  // namespace verify
