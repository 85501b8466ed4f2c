#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/digest.h"
#include "pg/row_digest.h"
#include "pg/snapshot.h"
#include "verify/catalog.h"

namespace verify {

/// What came of one comparison. "Not compared" is never "equal".
enum class State { equal, different, unchecked };

/// A row that is not the same on both sides.
struct RowDifference {
  enum class Kind {
    missing,     ///< not on the target
    extra,       ///< only on the target
    changed,     ///< same key, other values
    duplicated,  ///< on both sides, but not equally often
  };
  Kind kind = Kind::changed;
  /// Values of the key's columns, as text. Without a key: one element, a keyed hash of the whole row.
  std::vector<std::string> key;
  std::vector<std::string> columns;  ///< that differ, of a changed row
  uint64_t source_copies = 0;
  uint64_t target_copies = 0;
  /// As text, of the differing columns or the whole row; only with Options::show_values.
  std::vector<std::optional<std::string>> source_values;
  std::vector<std::optional<std::string>> target_values;
};

/// The differing rows of a table.
struct RowDifferences {
  uint64_t missing = 0;
  uint64_t extra = 0;
  uint64_t changed = 0;
  uint64_t duplicated = 0;
  std::vector<RowDifference> rows;  ///< the first ones
  uint32_t passes = 0;              ///< how often the whole table was read again to find them
  /// Differing buckets that these rows do not explain: they hold more differing rows.
  uint64_t buckets_left = 0;
  /// They explain every differing digest: what is not among them is equal. Else there may be more, and the
  /// note says why.
  bool complete = false;
  std::string note;

  uint64_t total() const { return missing + extra + changed + duplicated; }
};

/// What was read of a table on one side.
struct SideFigures {
  pg::Digest digest;
  uint64_t bytes = 0;  ///< of COPY data
  std::chrono::milliseconds elapsed{0};
  bool recorded = false;  ///< by the copy, not read now
};

struct TableResult {
  std::string name;
  std::string kind;  ///< "table", "partitioned table", "materialized view", "large objects"
  State state = State::unchecked;
  std::string reason;  ///< why it is unchecked
  std::string hint;
  std::string condition;
  bool filtered = false;             ///< the condition is the user's, not an extension's alone
  std::vector<std::string> columns;  ///< in the order in which they were digested
  std::vector<std::string> key;
  pg::CopyFormat format = pg::CopyFormat::binary;
  uint32_t buckets = 1;
  uint32_t different_buckets = 0;
  SideFigures source;
  SideFigures target;
  std::optional<RowDifferences> rows;  ///< when they were looked for
};

/// Something other than rows that differs, could not be compared, was left out on purpose, or is worth
/// knowing.
struct Remark {
  std::string object;
  std::string message;
  std::string hint = {};
  bool operator==(const Remark&) const = default;
};

/// What the target computes by itself, and is not compared after a copy, which has no digests of it.
struct LeftToTarget {
  uint64_t materialized_views = 0;
  uint64_t generated_columns = 0;
};

struct SideInfo {
  std::string database;  ///< redacted connection
  std::string version;
  pg::SnapshotMark snapshot;
  bool recorded = false;   ///< at the time of a copy, not read now
  std::string began = {};  ///< that copy
  /// What our sessions pin, as the server says it is; empty when the side was not read.
  std::map<std::string, std::string> settings = {};
};

/// The result of a comparison, as plain data.
struct Outcome {
  SideInfo source;
  SideInfo target;
  std::string run_id;                        ///< of the copy whose digests were used
  bool rows_counted = true;                  ///< false: only the definitions were compared
  bool digests = true;                       ///< false: rows were only counted
  bool strong = false;                       ///< the digests are of HMAC-SHA-256
  bool server_side = false;                  ///< equal tables were digested by the servers
  std::optional<CatalogComparison> catalog;  ///< nothing after a copy
  std::vector<TableResult> tables;
  uint64_t sequences = 0;  ///< compared
  std::vector<Remark> differences;
  std::vector<Remark> unchecked;
  std::vector<Remark> skipped;
  std::vector<Remark> notes;
  LeftToTarget left_to_target;
  std::chrono::milliseconds elapsed{0};

  bool user_waived = false;  ///< a waiver of the user's accepted a difference
  uint64_t count(State state) const;
  uint64_t rows() const;              ///< compared and equal or not, at the source
  uint64_t difference_count() const;  ///< objects, properties and tables
  uint64_t unchecked_count() const;
  /// 0 everything equal, 1 differences, 3 something could not be compared, 5 equal but for what the user
  /// waived (docs/architecture.md).
  int exit_code() const;
};

}  // namespace verify
