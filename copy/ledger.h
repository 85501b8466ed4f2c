#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.h"
#include "pg/digest.h"

namespace copy {

/// What the target itself knows of a run: schema "cutover", one row per chunk and per schema object, each
/// inserted in the very transaction that did the work. So a chunk is on the target exactly when its row is,
/// whatever happened to this process, the network or either server. The local journal is an index of it;
/// where they disagree, the ledger is right.

struct LedgerChunk {
  uint32_t relation = 0;
  uint32_t chunk = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  pg::Digest digest;
  std::string snapshot;      ///< the mark (pg::SnapshotMark::transactions) under which it was read
  uint64_t transaction = 0;  ///< txid_current() of the load; its low 32 bits are the rows' xmin
};

class Ledger {
 public:
  explicit Ledger(std::string run_id) : run_id_(std::move(run_id)) {}
  const std::string& run_id() const { return run_id_; }

  /// Creates the schema and its tables where they are missing, and the run's row.
  void create(pg::Connection& target, std::string_view source, std::string_view tool_version) const;
  static bool exists(pg::Connection& target);
  /// Adds what a ledger lacks that an older version of this program has made.
  static void complete(pg::Connection& target);
  /// Takes it off the target, with the schema; throws where something of somebody else's depends on it.
  static void drop(pg::Connection& target);
  static std::vector<std::string> runs(pg::Connection& target);
  static std::vector<std::string> unfinished_runs(pg::Connection& target);

  /// Inserts the chunk's row and commits the open transaction, in one round trip. Throws Error{in_doubt} when
  /// the connection was lost before the reply came: then chunk_digest() tells, on another connection.
  void commit_chunk(pg::Connection& target, const LedgerChunk& chunk, std::string_view display,
                    std::string_view bounds, const pg::BucketDigest& buckets) const;
  /// The digest of what was loaded; nothing when the chunk is not there.
  std::optional<pg::Digest> chunk_digest(pg::Connection& target, uint32_t relation, uint32_t chunk) const;
  std::vector<LedgerChunk> chunks(pg::Connection& target) const;
  /// What is there of a relation: how many chunks, and the sum of their digests, by bucket.
  struct RelationDigest {
    uint32_t chunks = 0;
    pg::BucketDigest buckets;
  };
  RelationDigest relation_digest(pg::Connection& target, uint32_t relation, uint32_t buckets) const;
  /// A statement for use inside a transaction that removes these chunks' rows.
  std::string forget_chunks_sql(uint32_t relation, const std::vector<uint32_t>& chunks) const;
  /// A statement for use inside the transaction of a chunk of large objects: records which ones it made.
  /// `oids` is the query that makes them, of one row, an array.
  std::string large_objects_sql(uint32_t relation, uint32_t chunk, std::string_view oids) const;
  /// Those of the oids, a list for SQL, that chunks of this run have made.
  std::set<pg::Oid> made_large_objects(pg::Connection& target, std::string_view oids) const;
  uint64_t count_large_objects(pg::Connection& target) const;
  /// Takes a chunk's large objects off the target, those that it made and no other, in many transactions:
  /// each object holds a lock until its own ends, and a server has room for some thousands of them.
  void unlink_large_objects(pg::Connection& target, uint32_t relation, uint32_t chunk) const;
  /// The run is not known any more.
  void forget_run(pg::Connection& target) const;

  /// A statement that records a schema object, to be sent together with the statements that make it.
  std::string item_sql(uint32_t item, std::string_view description, std::string_view schema,
                       std::string_view name) const;
  /// Of one description ("FK CONSTRAINT"), or all.
  std::vector<uint32_t> items(pg::Connection& target, std::string_view description = {}) const;
  bool has_item(pg::Connection& target, uint32_t item) const;
  std::string forget_item_sql(uint32_t item) const;

  using IsOurs = std::function<bool(uint32_t relation, uint32_t chunk, const pg::Digest& digest)>;
  /// How many chunks it has that `is_ours`, which sees them one by one.
  size_t count_chunks(pg::Connection& target, const IsOurs& is_ours) const;
  /// A row of an unlogged table, which a crash of the target (and a failover) takes away with the rows of all
  /// others. Not there: chunks that were loaded into such tables before it was set are gone, although the
  /// ledger has them.
  void set_crash_mark(pg::Connection& target) const;
  bool has_crash_mark(pg::Connection& target) const;
  /// Waits until every commit before this one is durable on the target; the loads' own commits do not wait.
  void make_durable(pg::Connection& target) const;
  /// Marks the run as ended, and makes that and everything committed before it durable.
  void finish(pg::Connection& target) const;
  /// When that was, in UTC; nothing: it has not ended, or the target does not know it.
  std::optional<std::string> finished_at(pg::Connection& target) const;

 private:
  std::string run_id_;
};

}  // namespace copy
