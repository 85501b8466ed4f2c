#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/sink.h"
#include "base/slab_allocator.h"
#include "pg/digest.h"
#include "pg/snapshot.h"

namespace copy {

/// A snapshot of the source that chunks of a run were read under.
struct SnapshotRecord {
  pg::SnapshotMark mark;
  std::string source_version;
  bool operator==(const SnapshotRecord& other) const { return mark.transactions == other.mark.transactions; }
};

/// A chunk that is on the target (or, in an export, in the archive).
struct ChunkRecord {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  pg::Digest digest;
  uint32_t snapshot = 0;  ///< index into RunState::snapshots
};

/// The result of reading one proof unit back from the target.
struct ProofRecord {
  bool equal = false;
  pg::Digest source;
  pg::Digest target;
};

/// pg_dump's archive in the run directory, complete; it has no checksum of its own.
struct SchemaRecord {
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
};

/// Everything a run remembers, as a fold over its records. Applying a record twice changes nothing.
struct RunState {
  template <typename Key, typename Record>
  using Slabs = base::SlabAllocator<std::pair<const Key, Record>>;
  using Chunks = std::unordered_map<uint64_t, ChunkRecord, std::hash<uint64_t>, std::equal_to<>,
                                    Slabs<uint64_t, ChunkRecord>>;
  using Proofs = std::map<uint32_t, ProofRecord, std::less<>, Slabs<uint32_t, ProofRecord>>;

  std::string run_id;
  std::string tool_version;
  std::string source;                             ///< redacted
  std::string target;                             ///< redacted; empty for an export
  std::chrono::system_clock::time_point started;  ///< kept to the millisecond
  std::vector<SnapshotRecord> snapshots;
  Chunks chunks;                                     ///< by chunk_key()
  std::map<uint32_t, std::string> relation_digests;  ///< pg::BucketDigest::encode() of what left the source
  Proofs proofs;                                     ///< by the unit's first relation
  std::optional<SchemaRecord> schema;                ///< schema.dump, once it is there
  std::optional<int> finished;                       ///< the exit code of a completed run
  /// When the removal of a run from here, to start over, was about to take effect; to the millisecond. It
  /// outlives that run. Results that were made before are not about what is on the target now.
  std::optional<std::chrono::system_clock::time_point> discarded;

  /// This very run was removed, or half of it: nothing can go on with it.
  bool is_discarded() const { return !run_id.empty() && discarded && *discarded >= started; }

  static uint64_t chunk_key(uint32_t relation, uint32_t chunk) { return (uint64_t{relation} << 32) | chunk; }
  const ChunkRecord* chunk(uint32_t relation, uint32_t chunk) const;

  /// Applies one record. Throws Error{corrupt} on one that makes no sense.
  void apply(base::Bytes record);
  /// The shortest series of records that makes this state, one at a time; the content of a checkpoint.
  void for_each_record(const std::function<void(std::string_view)>& visit) const;
};

/// The records, encoded. See docs/journal.md.
namespace record {
std::string run(const RunState& state);
std::string snapshot(uint32_t index, const SnapshotRecord& snapshot);
std::string chunk(uint32_t relation, uint32_t chunk, const ChunkRecord& record);
std::string forgotten(uint32_t relation, uint32_t chunk);
std::string schema(const SchemaRecord& schema);
std::string relation_digest(uint32_t relation, std::string_view encoded);
std::string proof(uint32_t unit, const ProofRecord& record);
std::string unproven();  ///< forgets every proof
std::string finished(int exit_code);
std::string discarded(std::chrono::system_clock::time_point when);
}  // namespace record

}  // namespace copy
