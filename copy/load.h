#pragma once

#include "copy/board.h"
#include "copy/chunk_copier.h"
#include "copy/chunk_source.h"
#include "copy/context.h"
#include "copy/index_build.h"
#include "copy/proof.h"
#include "copy/schema.h"
#include "copy/target_session.h"

namespace copy {

/// The parallel phase: data workers copy chunks and prove relations, index workers build indexes and analyze,
/// all fed by a Board. Returns when everything is done or has failed (failures of single relations are
/// problems; see Options::fail_fast). Throws SnapshotLost, Error{cancelled}, or what no retry could cure.
///
/// `when_read` is called once, from a worker, when the last byte has left the source.
class Load {
 public:
  struct Work {
    ChunkSourceFactory source;
    uint32_t snapshot = 0;
    bool has_target = true;
    ItemRunner* items = nullptr;  ///< nullptr: no indexes to build (--schema none, export)
    const SchemaItems* schema = nullptr;
    std::function<void()> when_read;
  };

  Load(const Context& context, Work work);
  void run();

 private:
  void data_worker(const base::Stop& stop);
  void index_worker(const base::Stop& stop);
  void copy_chunk(ChunkCopier& copier, const Board::Chunk& chunk);
  void prove(const Board::ProofTask& task, TargetSession& target);
  void build_index(const Board::IndexTask& task, unsigned helpers, TargetSession& target);
  void analyze(const Board::Analyze& task, TargetSession& target);
  void last_byte_read();

  const Context& context_;
  Work work_;
  std::vector<IndexItem> indexes_;
  Proof proof_;
  Board board_;
  base::Guarded<bool> read_told_;
};

}  // namespace copy
