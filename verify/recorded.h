#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pg/catalog.h"
#include "pg/digest.h"
#include "pg/row_digest.h"
#include "pg/snapshot.h"

namespace verify {

/// What a copy knows of the source at the moment of its snapshot, as plain data. With it the target alone has
/// to be read.
struct Recorded {
  struct Table {
    pg::QualifiedName name;                ///< what holds the rows at the target; empty for the large objects
    std::vector<pg::QualifiedName> above;  ///< the partitioned tables above it, nearest first
    bool whole_tree = false;               ///< a partitioned table whose leaves were taken together
    bool large_objects = false;
    std::string condition;             ///< that rows had to satisfy; empty: all
    std::vector<std::string> columns;  ///< in the order of the stream that was digested
    pg::RowShape shape;
    /// By bucket; nothing when the copy did not get to it.
    std::optional<pg::BucketDigest> digest;
  };
  struct Sequence {
    pg::QualifiedName name;
    int64_t last_value = 0;
    bool is_called = false;
  };

  std::string run_id;
  pg::DigestKey key;
  std::string began;  ///< the copy, as a timestamp; its snapshot is a little younger
  pg::SnapshotMark snapshot;
  std::string source;          ///< redacted
  std::string source_version;  ///< "15.18"
  std::string encoding;        ///< of the copy's sessions on both sides
  std::vector<Table> tables;
  /// Read at the end of the copy; nothing when they were not kept.
  std::optional<std::vector<Sequence>> sequences;
  /// Tables that the copy was told to leave out; pg::kLargeObjects when the source had some.
  std::vector<pg::QualifiedName> left_out;
  std::vector<pg::QualifiedName> left_out_sequences;
  /// What the source had of its own in the schema of the ledger, as pg::Stranger::display() names it, and the
  /// copy was told to leave out.
  std::set<std::string> left_out_strangers;
};

}  // namespace verify
