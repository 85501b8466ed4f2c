#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "copy/context.h"
#include "copy/keeper_watch.h"

namespace copy {

/// The snapshot that a run reads under is gone: its keeper's session ended. Workers cannot go on; the engine
/// takes a new snapshot and decides what of the work still stands (docs/consistency.md).
class SnapshotLost : public base::Error {
 public:
  explicit SnapshotLost(const std::string& cause = {})
      : Error(base::ErrorKind::permanent,
              "the source's snapshot is gone" + (cause.empty() ? cause : ": " + cause),
              "run the same command again") {}
};

/// The target crashed while we ran, and lost commits of chunks that the journal has (they are not waited
/// for). The ledger knows which; the engine copies them again.
class ChunksLost : public base::Error {
 public:
  ChunksLost() : Error(base::ErrorKind::permanent, "the target lost its last commits") {}
};

/// Where the bytes of a chunk come from. One object per worker.
class ChunkSource {
 public:
  ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;
  virtual ~ChunkSource() = default;
  /// Streams the chunk's COPY bytes into `out` (without calling its finish()).
  virtual void read(uint32_t relation, uint32_t chunk, base::ByteSink& out) = 0;
  /// What was recorded when the chunk was read at the source, if this is not the source itself.
  virtual const ChunkRecord* recorded(uint32_t, uint32_t) const { return nullptr; }
  /// A row was so large that its memory should not stay until the next chunk (pg::Connection).
  virtual bool keeps_large_buffer() const { return false; }
};

using ChunkSourceFactory = std::function<std::unique_ptr<ChunkSource>(const base::Stop& worker_stop)>;

/// Reads at the source under the keeper's snapshot, also after the keeper's end: then the workers find it
/// lost.
ChunkSourceFactory live_source(const Context& context, const KeeperWatch& keeper);
/// Reads from an archive whose journal says `state`. Damage is Error{corrupt} naming the file, before the
/// chunk is committed anywhere.
ChunkSourceFactory archive_source(std::filesystem::path archive, RunState state);

}  // namespace copy
