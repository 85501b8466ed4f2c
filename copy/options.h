#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/retry.h"
#include "pg/conninfo.h"
#include "pg/quote.h"

namespace copy {

enum class SchemaMode {
  dump,  ///< pg_dump's DDL is applied to the target, and reconciled with what is there
  none,  ///< the application's own migrations made the schema: it is compared first, then only data is copied
};

/// Everything a run can be told. The CLI fills it; each field is documented by the option of its name.
struct Options {
  pg::Conninfo source;
  pg::Conninfo target;
  std::filesystem::path run_dir = "cutover-run";
  /// Data workers: each has one source and one target connection.
  unsigned jobs = std::max(2U, std::thread::hardware_concurrency());
  /// Index workers; 0: as many as jobs. Both kinds share target_tasks().
  unsigned index_jobs = 0;
  /// Tables above this many bytes (TOAST included) are copied in chunks of about as many. Nothing: as
  /// pg::split_rule() says.
  std::optional<uint64_t> split_size;
  SchemaMode schema = SchemaMode::dump;
  /// Patterns "schema" or "schema.table" with * and ?. Nothing included means everything.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  /// The patterns are several databases': one need not match in each.
  bool one_of_several = false;
  std::map<std::string, std::string> role_map;     ///< role at the source -> role at the target
  bool owners = true;                              ///< restore ALTER … OWNER TO
  bool grants = true;                              ///< restore GRANT, REVOKE and default privileges
  std::map<std::string, std::string> row_filters;  ///< table display name -> SQL condition
  /// Patterns of target tables whose rows may be deleted although this run did not write them.
  std::vector<std::string> overwrite;
  bool restart = false;
  bool fail_fast = false;
  std::optional<std::filesystem::path> archive;
  base::RetryPolicy retry;
  /// Directory of pg_dump and pg_restore; empty: found on PATH and in Debian's /usr/lib/postgresql.
  std::filesystem::path pg_bin_dir;

  unsigned effective_index_jobs() const { return index_jobs == 0 ? jobs : index_jobs; }
  /// How many tasks (streams, builds, proofs) the target gets at once, see Board: two at least, so that an
  /// index build and the copying of other tables overlap.
  unsigned target_tasks() const { return std::max({2U, jobs, effective_index_jobs()}); }
};

/// The options that decide what a run copies, by name ("--include"), in one writing each. A run that is gone
/// on with, or asked about, under others would answer for another job.
std::map<std::string, std::string> selection_of(const Options& options);

/// Schemas that --include names in full, without * and ?: they are the user's, even where they seem to be a
/// provider's (pg/provider.h).
std::set<std::string> named_schemas(const Options& options);

/// Why a relation is left out; nothing: it is selected. `names`: its own and, of a partition, those of the
/// partitioned tables above it, since a partition is included with them, and excluded with them. An empty
/// relation's name stands for what lies in the schema without being a table or a view.
std::optional<std::string> reason_to_skip(const Options& options, std::span<const pg::QualifiedName> names);

/// True when "schema" or "schema.table" is selected by any of the patterns (see Options::include).
bool matches_any(const std::vector<std::string>& patterns, std::string_view schema, std::string_view table);

}  // namespace copy
