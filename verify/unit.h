#pragma once

#include <string>
#include <vector>

#include "pg/block_range.h"
#include "pg/row_digest.h"
#include "verify/options.h"
#include "verify/result.h"
#include "verify/side.h"

namespace verify {

/// What is compared as one: a table, a materialized view, all large objects; or a partitioned table with its
/// leaves, when a row may lie in different leaves on the two sides (hash partitions on enums, whose hash is
/// that of the value's oid; other partitions than at the source).
struct Unit {
  enum class Kind { table, tree, materialized_view, large_objects };

  Kind kind = Kind::table;
  pg::QualifiedName name;
  std::string condition;
  bool filtered = false;  ///< the condition is the user's, not an extension's alone
  /// In the order of the stream: the source's, the generated ones last.
  std::vector<std::string> columns;
  std::vector<std::string> key;
  std::vector<std::string> key_types;
  /// What the columns can be digested as on both sides; the key's positions are ascending.
  pg::RowShape shape;
  /// A side that has none has no rows of it.
  PerSide<std::vector<Part>> parts;
  /// Index into Recorded::tables; nothing: the source is read, if it has parts.
  std::optional<size_t> recorded;

  std::string display() const { return kind == Kind::large_objects ? "large objects" : name.display(); }
  uint64_t bytes(Role role) const;
};

/// What is to be compared, and what can be said before a row was read.
struct UnitPlan {
  std::vector<Unit> units;                  ///< the largest first
  std::vector<Remark> structure;            ///< what comparing the catalogs finds too
  std::vector<Remark> extension_structure;  ///< of configuration tables, which no catalog has
  std::vector<Remark> differences;
  std::vector<Remark> unchecked;
  std::vector<Remark> skipped;
  std::vector<Remark> notes;
  LeftToTarget left_to_target;
};

/// Matches the relations of both sides by name.
UnitPlan match(const Side& source, const Side& target, const Options& options);
/// Finds at the target what a copy has recorded; `options.recorded` is set.
UnitPlan match_recorded(const Side& target, const Options& options);

/// The tables of a side that hold the rows of a unit; none when it is not there.
std::vector<Part> parts_below(const Side& side, const Unit& unit);

/// Rows per bucket that a difference is narrowed down to, as long as there are at most kMostBuckets.
inline constexpr int64_t kRowsPerBucket = 2048;
inline constexpr uint32_t kMostBuckets = 1U << 17;

/// The parts cut by the rule. The last slice of each part is open-ended, so that no
/// row can be missed.
struct Slice {
  uint32_t unit = 0;
  Role role = Role::source;
  uint32_t part = 0;
  pg::BlockRange blocks;
  uint64_t bytes = 0;  ///< expected
};
std::vector<Slice> slices_of(const Unit& unit, uint32_t number, Role role, int major,
                             const pg::SplitRule& rule);

/// COPY … TO STDOUT of a slice's rows, of those that satisfy `condition` too: the unit's columns, then `more`
/// (SQL expressions).
std::string copy_sql(const Unit& unit, const Slice& slice, const std::vector<std::string>& more = {},
                     const std::string& condition = {});
/// SELECT of a slice's count, and of the sums of two hashes of its rows' text; not for large objects.
std::string hash_sql(const Unit& unit, const Slice& slice, int64_t first_seed, int64_t second_seed);
/// SELECT count(*) of a slice's rows; not for large objects.
std::string count_sql(const Unit& unit, const Slice& slice);

}  // namespace verify
