#include "copy/board.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace copy {

Board::Board(const Plan& plan, const std::vector<ProofUnit>& units, std::vector<Chunk> chunks,
             std::vector<IndexTask> indexes, std::vector<bool> unproven, bool analyze, Limits limits)
    : units_(units),
      analyze_(analyze),
      limits_(limits),
      unit_of_(plan.relations.size(), 0),
      indexes_(std::move(indexes)) {
  std::ranges::stable_sort(indexes_, {}, &IndexTask::relation);
  auto state = state_.lock();
  const auto relations = plan.relations.size();
  state->chunks_left.assign(relations, 0);
  state->indexes_left.assign(relations, 0);
  state->failed.assign(relations, false);
  state->relations_left.assign(units.size(), 0);
  state->unproven = std::move(unproven);
  for (const auto& chunk : chunks) ++state->chunks_left[chunk.relation];
  state->chunks.assign(chunks.begin(), chunks.end());
  for (const auto& index : indexes_) ++state->indexes_left[index.relation];
  for (uint32_t unit = 0; unit < units.size(); ++unit)
    for (const auto relation : units[unit].relations) {
      unit_of_[relation] = unit;
      if (state->chunks_left[relation] > 0) ++state->relations_left[unit];
    }
  for (uint32_t unit = 0; unit < units.size(); ++unit)
    if (state->relations_left[unit] == 0) unit_complete(*state, unit);
}

bool Board::unit_failed(const State& state, uint32_t unit) const {
  return std::ranges::any_of(units_[unit].relations,
                             [&](auto relation) { return bool{state.failed[relation]}; });
}

void Board::relation_complete(State& state, uint32_t relation) {
  const auto unit = unit_of_[relation];
  if (--state.relations_left[unit] == 0 && !unit_failed(state, unit)) unit_complete(state, unit);
}

void Board::unit_complete(State& state, uint32_t unit) {
  if (state.unproven[unit]) state.proofs.push_back({unit, std::nullopt});
  for (const auto relation : units_[unit].relations) {
    for (auto index = std::ranges::lower_bound(indexes_, relation, {}, &IndexTask::relation);
         index != indexes_.end() && index->relation == relation; ++index)
      state.indexes.push(*index);
    if (state.indexes_left[relation] == 0) indexes_complete(state, relation);
  }
}

void Board::indexes_complete(State& state, uint32_t relation) {
  if (analyze_) state.analyzes.push_back(relation);
}

// Waits until there is a task or there never will be one. try_take() returns true when the wait is over.
template <typename Task, typename Try>
std::optional<Task> Board::wait_for_task(const base::Stop& stop, Try try_take) {
  auto state = state_.lock();
  std::optional<Task> task;
  while (!try_take(*state, task)) {
    stop.check();
    state.wait_for(base::kStopCheck);  // or until something changes
  }
  stop.check();
  return task;
}

// Loads are estimates: half a task over the limit is as near as half a task below it.
bool Board::has_room(const State& state, double weight) const {
  return state.load() == 0 || state.load() + weight < limits_.tasks + 0.5;
}

// While there are chunks to read, half of the target is theirs: the source waits with its snapshot.
unsigned Board::builds_at_once(const State& state) const {
  const bool reading = !state.chunks.empty() || state.chunks_running > 0;
  return std::min(limits_.builds, reading ? std::max(1U, limits_.tasks / 2) : limits_.tasks);
}

bool Board::may_start_build(const State& state) const {
  return !state.indexes.empty() && state.target_running < builds_at_once(state) && has_room(state, 1);
}

// A build that waits goes first, but one stream always runs.
bool Board::may_start_chunk(const State& state) const {
  if (state.chunks_running == 0) return true;
  const bool build_waits = !state.indexes.empty() && state.target_running < builds_at_once(state);
  return has_room(state, state.stream_weight + (build_waits ? 1 : 0));
}

void Board::take_up_postponed(State& state) const {
  const bool quiet =
      state.chunks.empty() && state.chunks_running == 0 && state.indexes.empty() && state.target_running == 0;
  if (!quiet) return;
  const bool changed = state.builds_done != std::exchange(state.builds_before, state.builds_done);
  for (auto& chunk : std::exchange(state.postponed, {})) {
    chunk.may_postpone = changed;
    state.chunks.push_back(chunk);
  }
}

std::optional<Board::DataTask> Board::take_data(const base::Stop& stop, bool reading) {
  return wait_for_task<DataTask>(stop, [&](State& state, std::optional<DataTask>& task) {
    take_up_postponed(state);
    while (!state.chunks.empty()) {
      const auto chunk = state.chunks.front();
      if (!state.failed[chunk.relation] && !may_start_chunk(state)) return false;
      state.chunks.pop_front();
      if (state.failed[chunk.relation]) continue;
      ++state.chunks_running;
      task = DataTask{chunk, std::nullopt};
      return true;
    }
    if (reading) {
      task.emplace();
      return true;
    }
    while (!state.proofs.empty()) {
      const auto proof = state.proofs.front();
      if (!unit_failed(state, proof.unit) && !has_room(state, 1)) return false;
      state.proofs.pop_front();
      if (unit_failed(state, proof.unit)) continue;
      ++(proof.slice ? state.slices_running : state.cuts_running);
      task = DataTask{std::nullopt, proof};
      return true;
    }
    return state.all_read() && state.cuts_running == 0;
  });
}

std::optional<Board::TargetTask> Board::take_target(const base::Stop& stop) {
  return wait_for_task<TargetTask>(stop, [&](State& state, std::optional<TargetTask>& task) {
    if (may_start_build(state)) {
      const auto load = static_cast<unsigned>(state.load() + 1.5);
      task =
          TargetTask{.index = state.indexes.top(), .helpers = limits_.tasks - std::min(limits_.tasks, load)};
      state.indexes.pop();
    } else if (!state.analyzes.empty() && has_room(state, 1)) {
      task = TargetTask{.analyze = Analyze{state.analyzes.front()}};
      state.analyzes.pop_front();
    } else if (!state.indexes.empty() || !state.analyzes.empty()) {
      return false;
    } else {
      return state.all_read() && state.target_running == 0;
    }
    ++state.target_running;
    return true;
  });
}

void Board::chunk_done(uint32_t relation, double target_share) {
  auto state = state_.lock();
  --state->chunks_running;
  state->stream_weight = std::clamp((state->stream_weight + target_share) / 2, 0.05, 1.0);
  if (--state->chunks_left[relation] == 0) relation_complete(*state, relation);
  state_.notify_all();
}

void Board::postpone(const Chunk& chunk) {
  auto state = state_.lock();
  --state->chunks_running;
  state->postponed.push_back(chunk);
  state_.notify_all();
}

void Board::add_slices(uint32_t unit, uint32_t count) {
  auto state = state_.lock();
  --state->cuts_running;
  for (uint32_t slice = count; slice-- > 0;) state->proofs.push_front({unit, slice});
  state_.notify_all();
}

void Board::slice_done() {
  --state_.lock()->slices_running;
  state_.notify_all();
}

void Board::index_done(uint32_t relation) {
  auto state = state_.lock();
  --state->target_running;
  ++state->builds_done;
  if (--state->indexes_left[relation] == 0) indexes_complete(*state, relation);
  state_.notify_all();
}

void Board::analyze_done() {
  --state_.lock()->target_running;
  state_.notify_all();
}

void Board::relation_failed(uint32_t relation) {
  auto state = state_.lock();
  --state->chunks_running;
  state->failed[relation] = true;
  state_.notify_all();
}

bool Board::all_read() { return state_.lock()->all_read(); }

}  // namespace copy
