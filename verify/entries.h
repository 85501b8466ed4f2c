#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verify/pass.h"
#include "verify/result.h"
#include "verify/row_sieve.h"
#include "verify/unit.h"

namespace verify {

/// A row that is looked at more closely: as little of it as tells it apart.
struct Entry {
  std::string identity;  ///< the key as it stands in the stream, or the row's hash
  uint64_t place = 0;    ///< a hash of it
  base::uint128 hash = 0;
  uint32_t bucket = 0;
  uint64_t copies = 1;                             ///< of a row without a key
  std::vector<uint64_t> columns;                   ///< hashes, to see which differ
  std::vector<std::string> key;                    ///< as text
  std::vector<std::optional<std::string>> values;  ///< as text, when they are shown
};

/// Which rows become entries.
struct Filter {
  std::vector<bool> buckets;
  Share share;
  const RowSieve* sieve = nullptr;  ///< nothing: all of them
  std::string condition;            ///< SQL that the servers apply; with it, each part is read at one go
};

/// What one pass over both sides came to.
struct Reading {
  PerSide<pg::BucketDigest> digests;  ///< of all rows of the buckets
  bool failed = false;
  std::string why;
};

struct Entries : Reading {
  PerSide<std::vector<Entry>> sides;
  /// What Options::row_memory did not allow to keep: to be collected in passes of their own.
  std::vector<Share> left;
};

/// Reads the unit on both sides once, and lets every row of the filter's buckets and share pass the sieve.
Reading sift(const Context& context, const Unit& unit, const Filter& filter, RowSieve& sieve);

/// Reads the unit on both sides once.
Entries collect(const Context& context, const Unit& unit, const Filter& filter);

/// Pairs them by identity, and tells what differs.
void tell_differences(const Unit& unit, Entries& entries, const std::function<void(RowDifference)>& tell);

}  // namespace verify
