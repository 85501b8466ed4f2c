#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/retry.h"
#include "pg/conninfo.h"
#include "pg/quote.h"
#include "verify/catalog.h"
#include "verify/recorded.h"
#include "verify/result.h"

namespace verify {

/// How far a comparison goes; each level includes those before it.
enum class Level {
  catalog,  ///< what the databases are made of: definitions, owners, grants
  counts,   ///< rows per table, and sequences
  digests,  ///< a digest of every row: which tables differ
  rows,     ///< where digests differ, which rows and columns
};

/// A pattern of names that somebody has typed, and may have mistyped.
struct NamePattern {
  std::string text;  ///< "--include pubic.*"
  /// A schema itself has an empty name.
  std::function<bool(const pg::QualifiedName&)> matches;
  bool must_match = true;  ///< one that matches nothing leaves the result unverified; else it is a note
};

/// Everything a comparison can be told.
struct Options {
  pg::Conninfo source;  ///< may be empty with `recorded`
  pg::Conninfo target;
  Level level = Level::rows;
  /// Sessions on each side.
  unsigned jobs = std::max(2U, std::thread::hardware_concurrency());
  /// Tables above this many bytes (TOAST included) are read in several slices at once. Nothing: as
  /// pg::split_rule() says.
  std::optional<uint64_t> split_size;
  /// Why a relation is left out; nothing: it is compared.
  std::function<std::optional<std::string>(const pg::QualifiedName&)> skip;
  /// What `skip` goes by.
  std::vector<NamePattern> patterns;
  /// Display name of a table -> SQL condition that its rows have to satisfy on both sides to be compared.
  std::map<std::string, std::string> row_filters;
  /// How definitions are compared; with `recorded`, with those of the source as it is now. What it selects
  /// has to agree with `skip`.
  CatalogOptions catalog;
  /// What a copy has recorded of the source; nothing: the source is read.
  std::optional<Recorded> recorded;
  /// Rows are hashed by HMAC-SHA-256; not with `recorded`.
  bool strong = false;
  /// Tables are digested by the servers themselves, see verify/server_side.h; those that differ are read. Not
  /// with `recorded`, `strong` or `journal`.
  bool server_side = false;
  /// Where an interrupted comparison keeps what it has found equal; without `recorded`, also the secret of
  /// the digests. Not with `recheck`.
  std::optional<std::filesystem::path> journal;
  /// Differing rows kept in the result, per table.
  uint64_t max_rows = 20;
  /// Hears of every differing row, from one thread.
  std::function<void(const TableResult&, const RowDifference&)> on_row;
  /// How often what differs is looked at again; not with `recorded`.
  unsigned recheck = 0;
  /// Display names of the units to compare, and nothing else (no sequences); empty: everything.
  std::set<std::string> only;
  /// Values of the differing columns are shown, not only their names.
  bool show_values = false;
  base::RetryPolicy retry;
};

}  // namespace verify
