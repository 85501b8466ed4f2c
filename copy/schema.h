#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "copy/context.h"
#include "copy/entry_file.h"
#include "copy/toc.h"

namespace copy {

/// Where pg_dump and pg_restore are, and how new.
struct PgTools {
  std::filesystem::path dump;
  std::filesystem::path restore;
  int major = 0;
};

/// Looks for them when they are first needed, and once. One thread at a time.
class PgToolFinder {
 public:
  PgToolFinder(const Options& options, base::Stop stop) : options_(options), stop_(std::move(stop)) {}
  /// The newest pair in Options::pg_bin_dir, on PATH or in Debian's /usr/lib/postgresql. Error{usage} when
  /// there is none.
  const PgTools& get();

 private:
  const Options& options_;
  base::Stop stop_;
  std::optional<PgTools> found_;
};

/// Runs pg_dump on the source, under the snapshot when there is one, into `file`. Throws Error{usage} when
/// pg_dump is older than the source.
void dump_schema(const Options& options, const Plan& plan, const std::string& snapshot_id,
                 const PgTools& tools, const std::filesystem::path& file, const base::Stop& stop);

/// The objects of a schema dump, by when they are made.
struct SchemaItems {
  std::vector<StoredEntry> pre_data;
  std::vector<StoredEntry> indexes;  ///< INDEX and CONSTRAINT (p, u, x) on relations that hold rows
  std::vector<StoredEntry> foreign_keys;
  std::vector<StoredEntry> after_foreign_keys;  ///< what depends on those: their comments
  std::vector<StoredEntry> rest;                ///< everything else of post-data, in the dump's order
  std::vector<StoredEntry> event_triggers;      ///< and what is said of them
  std::optional<EntryFile> entries;             ///< what all of them are

  TocEntry read(const StoredEntry& stored) const { return entries->read(stored); }
};

/// Reads the dump, leaves out what belongs to the provider (noted in `findings`), maps roles, drops owners
/// and grants where the options say so. The entries are kept in a file beside it.
SchemaItems load_schema(const Options& options, const Plan& plan, const PgTools& tools,
                        const std::filesystem::path& file, const base::Stop& stop,
                        std::vector<Finding>& findings);

/// Names what another dump of the same database defines otherwise, at most `limit`: "view public.v was
/// changed". Empty: they mean the same.
std::vector<std::string> schema_changes(const PgTools& tools, const std::filesystem::path& stored,
                                        const std::filesystem::path& fresh, const base::Stop& stop,
                                        size_t limit = 10);

/// Ids of entries and of their second steps. pg_dump counts from one, so a bit for each is little.
class EntryIds {
 public:
  bool contains(uint32_t id) const;
  void insert(uint32_t id);
  void clear() { steps_ = {}; }

 private:
  std::array<std::vector<bool>, 2> steps_;
};

/// Makes schema objects on the target, each exactly once: its statements and its ledger row are one
/// transaction. Thread-safe; each thread brings its connection.
class ItemRunner {
 public:
  ItemRunner(const Context& context, pg::Connection& target);

  /// Second steps of an entry (the constraint after its index, VALIDATE after NOT VALID) have ids of their
  /// own.
  static uint32_t second_step(uint32_t id) { return id | (1U << 31); }

  bool is_done(uint32_t id);
  /// Runs the statements. Failures are recorded as problems, not thrown, so that the others go on: returns
  /// false. Only connection losses and stops are thrown. An entry one of whose dependencies failed is
  /// skipped, and named.
  bool run(pg::Connection& target, uint32_t id, const TocEntry& entry, const std::string& sql);
  bool run(pg::Connection& target, const TocEntry& entry) { return run(target, entry.id, entry, entry.sql); }
  /// True when the entry, or something it needs, could not be made.
  bool has_failed(uint32_t id);
  /// Runs entries in order, many to a transaction: a statement's round trip and its commit's flush cost more
  /// than most definitions. Where one fails, its batch is run again one by one.
  void run_all(pg::Connection& target, const SchemaItems& schema, std::span<const StoredEntry> entries);
  /// For a step that its caller ran, with its ledger row: from now on it is done, and may be lost().
  void made(uint32_t id);
  /// Names what this process made and the ledger does not have: the target lost it in a crash (commits are
  /// asynchronous, so object and ledger row go together). Empty: all is there. `schema` may lack what was
  /// there when everything was_made_durable().
  std::vector<std::string> lost(pg::Connection& target, const SchemaItems& schema);
  void was_made_durable();

  /// "table public.orders", "fk constraint public.orders orders_customer_fkey"
  static std::string label(const TocEntry& entry);

 private:
  struct Outcome {
    EntryIds done;
    EntryIds at_risk;  // of them, those that this process made and a crash may still take away
    std::unordered_map<uint32_t, std::string> failed;  // id -> label
  };
  bool run_batch(pg::Connection& target, std::span<const TocEntry> entries);
  void failed(uint32_t id, const TocEntry& entry, const base::Error& error);

  const Context& context_;
  base::Guarded<Outcome> outcome_;
};

}  // namespace copy
