#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/stop.h"
#include "copy/plan.h"
#include "copy/proof.h"

namespace copy {

/// Who does what next. A relation's work unlocks in steps:
///
///   its chunks  ->  its indexes (longest first) and its proof  ->  its ANALYZE
///
/// Data workers take chunks, and proofs when no chunk is left; index workers take indexes and ANALYZE. A
/// relation's indexes start as soon as its own data is complete, so the slowest index overlaps with the
/// copying of the rest. A relation that failed is out: nothing of it is handed out any more. A chunk that was
/// postponed, because a regclass in it names an index that is not there yet, comes again when every index is
/// built that can be.
///
/// All workers together keep the target busy with no more tasks at once than its Limits say. One slow index
/// bounds the run, and each task beyond the target's cores takes time from it (measured with two cores: a
/// build of 14 CPU seconds took 22 s beside three other tasks, 16 s beside one). A build, a proof or an
/// ANALYZE is one task; a stream of chunks as much of one as the target makes it wait, so that streams over a
/// slow line leave room for builds.
///
/// Thread-safe. take_*() blocks until there is work, and returns nothing when there never will be.
class Board {
 public:
  struct Chunk {
    uint32_t relation = 0;
    uint32_t chunk = 0;
    bool may_postpone = true;  ///< false: no index was built since it was tried last
  };
  struct ProofTask {
    uint32_t unit = 0;
    std::optional<uint32_t> slice;  ///< nothing: cut it into slices first, then call add_slices()
  };
  struct IndexTask {
    uint32_t relation = 0;
    uint32_t item = 0;  ///< index into SchemaItems::indexes
    uint64_t cost = 0;
  };
  struct Analyze {
    uint32_t relation = 0;
  };
  struct DataTask {
    std::optional<Chunk> chunk;
    std::optional<ProofTask> proof;  ///< neither: see take_data()
  };
  struct TargetTask {
    std::optional<IndexTask> index;
    unsigned helpers = 0;  ///< how many parallel workers the build may have
    std::optional<Analyze> analyze;
  };

  struct Limits {
    unsigned tasks = 2;   ///< on the target at once
    unsigned builds = 1;  ///< index workers
  };

  /// `chunks`: those still to copy, in order. `indexes`: those still to build. `unproven`: units still to
  /// prove.
  Board(const Plan& plan, const std::vector<ProofUnit>& units, std::vector<Chunk> chunks,
        std::vector<IndexTask> indexes, std::vector<bool> unproven, bool analyze, Limits limits);

  /// One who has a session at the source (`reading`) gets a task of nothing as soon as no chunk is left to
  /// take: it is to end that session rather than to wait with it.
  std::optional<DataTask> take_data(const base::Stop& stop, bool reading = false);
  std::optional<TargetTask> take_target(const base::Stop& stop);
  /// `target_share`: the part of its time, 0 to 1, that the chunk's stream spent on the target.
  void chunk_done(uint32_t relation, double target_share);
  /// For a chunk that may_postpone.
  void postpone(const Chunk& chunk);
  void add_slices(uint32_t unit, uint32_t count);
  void slice_done();
  void index_done(uint32_t relation);
  void analyze_done();
  /// Nothing of this relation (and of what is proven together with it) is worked on any more.
  void relation_failed(uint32_t relation);

  /// True once no chunk is left to read: the source's snapshot can go.
  bool all_read();

 private:
  struct ByCost {
    bool operator()(const IndexTask& a, const IndexTask& b) const { return a.cost < b.cost; }
  };
  struct State {
    std::deque<Chunk> chunks;
    std::vector<Chunk> postponed;
    uint64_t builds_done = 0;
    uint64_t builds_before = 0;  // when the postponed were handed out last
    std::deque<ProofTask> proofs;
    std::priority_queue<IndexTask, std::vector<IndexTask>, ByCost> indexes;
    std::deque<uint32_t> analyzes;
    std::vector<uint32_t> chunks_left;     // per relation
    std::vector<uint32_t> indexes_left;    // per relation
    std::vector<uint32_t> relations_left;  // per unit
    std::vector<bool> unproven;            // per unit
    std::vector<bool> failed;              // per relation
    uint32_t chunks_running = 0;
    uint32_t cuts_running = 0;  // proof tasks that will add slices
    uint32_t slices_running = 0;
    uint32_t target_running = 0;
    double stream_weight = 1;  // of the streams so far, see chunk_done()

    bool all_read() const { return chunks.empty() && chunks_running == 0 && postponed.empty(); }
    double load() const {
      return chunks_running * stream_weight + cuts_running + slices_running + target_running;
    }
  };
  bool has_room(const State& state, double weight) const;
  bool may_start_chunk(const State& state) const;
  bool may_start_build(const State& state) const;
  unsigned builds_at_once(const State& state) const;
  void take_up_postponed(State& state) const;
  void relation_complete(State& state, uint32_t relation);
  void unit_complete(State& state, uint32_t unit);
  void indexes_complete(State& state, uint32_t relation);
  bool unit_failed(const State& state, uint32_t unit) const;
  template <typename Task, typename Try>
  std::optional<Task> wait_for_task(const base::Stop& stop, Try try_take);

  const std::vector<ProofUnit>& units_;
  bool analyze_;
  Limits limits_;
  std::vector<uint32_t> unit_of_;   // per relation
  std::vector<IndexTask> indexes_;  // by relation
  base::Guarded<State> state_;
};

}  // namespace copy
