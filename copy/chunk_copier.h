#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "copy/chunk_source.h"
#include "copy/context.h"

namespace copy {

/// Copies chunks exactly once, one worker's worth. One chunk is one stream
///   source -> RowDigest -> Tee(archive, target)
/// in this thread, with no queue: a slow target blocks the source's send, and nothing grows.
class ChunkCopier {
 public:
  /// `snapshot` is the index of the record the source reads under. Without a target (an export) chunks only
  /// go to the archive.
  ChunkCopier(const Context& context, ChunkSourceFactory open_source, uint32_t snapshot, bool has_target,
              base::Stop stop);

  /// Copies the chunk, records it in ledger and journal. Transient failures are tried again on fresh
  /// connections; a lost reply to the commit is settled by the ledger. Returns the part of its time, 0 to 1,
  /// that it spent on the target.
  double copy(uint32_t relation, uint32_t chunk);
  /// Digests the chunk at the source and writes nothing.
  ChunkRecord digest_source(uint32_t relation, uint32_t chunk);

 private:
  using Clock = std::chrono::steady_clock;
  struct Done {
    ChunkRecord record;
    pg::BucketDigest buckets;
  };
  Done transfer(uint32_t relation, uint32_t chunk, base::ByteSink* target, base::ByteSink* archive,
                Progress::Scope& scope);
  ChunkRecord try_copy(uint32_t relation, uint32_t chunk);
  ChunkRecord load(uint32_t relation, uint32_t chunk);
  void begin_load(const Relation& relation, bool freeze);
  bool settled_by_ledger(uint32_t relation, uint32_t chunk);
  void disconnect();

  const Context& context_;
  ChunkSourceFactory open_source_;
  uint32_t snapshot_;
  std::string snapshot_mark_;
  bool has_target_;
  base::Stop stop_;
  std::unique_ptr<ChunkSource> source_;
  std::optional<pg::Connection> target_;
  Clock::duration on_target_{0};         // of the last try
  std::optional<ChunkRecord> in_doubt_;  // what the commit whose reply was lost would have stored
};

}  // namespace copy
