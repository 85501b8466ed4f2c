#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "base/retry.h"
#include "pg/catalog.h"
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
  /// Why a relation is left out, on either side; nothing: it is compared. Asked with its name and, of a
  /// partition, those of the partitioned tables above it; with an empty relation about what lies in a schema
  /// without being a table or a view; and with pg::kLargeObjects.
  std::function<std::optional<std::string>(std::span<const pg::QualifiedName>)> skip;
  /// What `skip` goes by.
  std::vector<NamePattern> patterns;
  /// Display name of a table -> SQL condition that its rows have to satisfy on both sides to be compared.
  std::map<std::string, std::string> row_filters;
  /// How definitions are compared; with `recorded`, with those of the source as it is now. What it selects is
  /// what `skip` leaves.
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
  /// Differing rows that are looked for, per table: one that differs in every row would be told row by row.
  uint64_t most_differences = 1'000'000;
  /// Bytes for telling which rows of a table differ. With less of it, its tables are read more often.
  uint64_t row_memory = 64ULL << 20;
  /// Hears of every differing row, from one thread.
  std::function<void(const TableResult&, const RowDifference&)> on_row;
  /// How often what differs is looked at again; not with `recorded`.
  unsigned recheck = 0;
  /// Before each time. Long enough for what a replica is behind by in good times.
  std::chrono::milliseconds recheck_pause{2000};
  /// Of the digests, when several comparisons are about the same rows; nothing: one of its own.
  std::optional<pg::DigestKey> key;
  /// Display names of the units to compare, and nothing else (no sequences); empty: everything.
  std::set<std::string> only;
  /// Values of the differing columns are shown, not only their names.
  bool show_values = false;
  base::RetryPolicy retry;

  /// No pattern leaves anything out.
  bool selects_all() const { return patterns.empty(); }
  /// Why a relation with these names is left out. With a side, also because it is the provider's there.
  std::optional<std::string> why_left_out(std::span<const pg::QualifiedName> names,
                                          const pg::Catalog* side = nullptr) const;
  std::optional<std::string> why_left_out(const pg::QualifiedName& name,
                                          const pg::Catalog* side = nullptr) const {
    return why_left_out(std::span(&name, 1), side);
  }
};

}  // namespace verify
