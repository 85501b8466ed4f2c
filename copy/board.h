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
/// copying of the rest. A relation that failed is out: nothing of it is handed out any more.
///
/// Thread-safe. take_*() blocks until there is work, and returns nothing when there never will be.
class Board {
 public:
  struct Chunk {
    uint32_t relation = 0;
    uint32_t chunk = 0;
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
    std::optional<ProofTask> proof;
  };
  struct TargetTask {
    std::optional<IndexTask> index;
    std::optional<Analyze> analyze;
  };

  /// `chunks`: those still to copy, in order. `indexes`: those still to build. `unproven`: units still to
  /// prove.
  Board(const Plan& plan, const std::vector<ProofUnit>& units, std::vector<Chunk> chunks,
        std::vector<IndexTask> indexes, std::vector<bool> unproven, bool analyze);

  std::optional<DataTask> take_data(const base::Stop& stop);
  std::optional<TargetTask> take_target(const base::Stop& stop);
  void chunk_done(uint32_t relation);
  void add_slices(uint32_t unit, uint32_t count);
  void index_done(uint32_t relation);
  void analyze_done();
  /// Nothing of this relation (and of what is proven together with it) is worked on any more.
  void relation_failed(uint32_t relation);

  /// True once no chunk is left to read: the source's snapshot can go.
  bool all_read();
  bool has_failed(uint32_t relation);

 private:
  struct ByCost {
    bool operator()(const IndexTask& a, const IndexTask& b) const { return a.cost < b.cost; }
  };
  struct State {
    std::deque<Chunk> chunks;
    std::deque<ProofTask> proofs;
    std::priority_queue<IndexTask, std::vector<IndexTask>, ByCost> indexes;
    std::deque<uint32_t> analyzes;
    std::vector<uint32_t> chunks_left;                    // per relation
    std::vector<uint32_t> indexes_left;                   // per relation
    std::vector<uint32_t> relations_left;                 // per unit
    std::vector<std::vector<IndexTask>> waiting_indexes;  // per relation
    std::vector<bool> unproven;                           // per unit
    std::vector<bool> failed;                             // per relation
    uint32_t chunks_running = 0;
    uint32_t cuts_running = 0;  // proof tasks that will add slices
    uint32_t target_running = 0;
  };
  void relation_complete(State& state, uint32_t relation);
  void unit_complete(State& state, uint32_t unit);
  void indexes_complete(State& state, uint32_t relation);
  bool unit_failed(const State& state, uint32_t unit) const;
  template <typename Task, typename Try>
  std::optional<Task> wait_for_task(const base::Stop& stop, Try try_take);

  const std::vector<ProofUnit>& units_;
  bool analyze_;
  std::vector<uint32_t> unit_of_;  // per relation
  base::Guarded<State> state_;
};

}  // namespace copy
