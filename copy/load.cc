#include "copy/load.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "base/thread_group.h"
#include "copy/finish.h"
#include "copy/sql.h"

namespace copy {
namespace {

using base::ErrorKind;

constexpr const char* kLockNotAvailable = "55P03";

// Errors that end the run, not one relation: it cannot be the relation's fault.
bool ends_the_run(const base::Error& error, const Options& options) {
  switch (error.kind()) {
    case ErrorKind::cancelled:
    case ErrorKind::in_doubt:
    case ErrorKind::corrupt:
      return true;
    case ErrorKind::transient:  // outlasted every retry
      if (error.sqlstate() != kLockNotAvailable) return true;
      break;
    case ErrorKind::usage:
    case ErrorKind::permanent:
      break;
  }
  return options.fail_fast || dynamic_cast<const SnapshotLost*>(&error) != nullptr ||
         dynamic_cast<const ChunksLost*>(&error) != nullptr;
}

// A value of the type regclass that names an index: that may not be built yet. Its type is copied as text.
bool names_what_is_missing(const base::Error& error, const Relation& relation) {
  constexpr std::string_view kUndefinedTable = "42P01";
  return error.sqlstate() == kUndefinedTable && relation.shape.format == pg::CopyFormat::text;
}

std::vector<Board::Chunk> missing_chunks(const Context& context) {
  std::vector<Board::Chunk> chunks;
  const auto& relations = context.plan.relations;
  for (uint32_t relation = 0; relation < relations.size(); ++relation)
    for (uint32_t chunk = 0; chunk < relations[relation].chunks; ++chunk)
      if (!context.dir.state().chunk(relation, chunk)) chunks.push_back({relation, chunk});
  return chunks;
}

std::vector<Board::IndexTask> missing_indexes(const std::vector<IndexItem>& items, ItemRunner* runner) {
  std::vector<Board::IndexTask> tasks;
  for (uint32_t i = 0; i < items.size(); ++i)
    if (items[i].is_built_first() && !runner->is_done(items[i].entry->id))
      tasks.push_back({items[i].relation, i, index_build_cost(*items[i].index)});
  return tasks;
}

std::vector<bool> unproven_units(const Context& context, const Proof& proof, bool has_target) {
  std::vector<bool> unproven(proof.units().size(), false);
  for (uint32_t unit = 0; unit < unproven.size(); ++unit) {
    unproven[unit] = has_target && !proof.is_proven(unit);
    if (unproven[unit]) ++context.progress.proofs_total;
  }
  return unproven;
}

}  // namespace

Load::Load(const Context& context, Work work)
    : context_(context),
      work_(std::move(work)),
      indexes_(work_.items ? index_items(context.plan, *work_.schema) : std::vector<IndexItem>()),
      proof_(context, proof_units(context.plan)),
      board_(context.plan, proof_.units(), missing_chunks(context), missing_indexes(indexes_, work_.items),
             unproven_units(context, proof_, work_.has_target), work_.has_target,
             Board::Limits{context.options.target_tasks(), context.options.effective_index_jobs()}),
      read_told_(false) {}

void Load::run() {
  context_.progress.indexes_total = indexes_.size();
  base::ThreadGroup group(context_.stop);
  for (unsigned i = 0; i < context_.options.jobs; ++i)
    group.start(fmt::format("data {}", i + 1), [this, &group] { data_worker(group.stop()); });
  if (work_.has_target)
    for (unsigned i = 0; i < context_.options.effective_index_jobs(); ++i)
      group.start(fmt::format("index {}", i + 1), [this, &group] { index_worker(group.stop()); });
  group.join();
  last_byte_read();
}

void Load::data_worker(const base::Stop& stop) {
  std::optional<ChunkCopier> copier;
  TargetSession target(context_, stop);
  while (const auto task = board_.take_data(stop, copier.has_value())) {
    if (task->chunk) {
      if (!copier) copier.emplace(context_, work_.source, work_.snapshot, work_.has_target, stop);
      copy_chunk(*copier, *task->chunk);
    } else {
      // No chunk is left for anybody. What comes may be hours away, and a session at the source holds back
      // its vacuum.
      copier.reset();
      if (task->proof) prove(*task->proof, target);
    }
    if (board_.all_read()) last_byte_read();
  }
}

void Load::last_byte_read() {
  auto told = read_told_.lock();
  if (std::exchange(*told, true)) return;
  if (work_.when_read) work_.when_read();
}

void Load::copy_chunk(ChunkCopier& copier, const Board::Chunk& chunk) {
  const auto& relation = context_.plan.relations[chunk.relation];
  double target_share = 1;
  try {
    target_share = copier.copy(chunk.relation, chunk.chunk);
  } catch (base::Error& error) {
    if (error.sqlstate() == kNotEmpty)
      error.hint(
          fmt::format("this run did not write them; to delete them: --overwrite '{}'", relation.display()));
    if (chunk.may_postpone && names_what_is_missing(error, relation)) {
      spdlog::info("{} waits for the indexes of other tables: {}", relation.display(), error.message());
      return board_.postpone(chunk);
    }
    if (ends_the_run(error, context_.options)) throw;
    context_.problems.add({Problem::Kind::failed, relation.display(), error.message(), error.hint()});
    board_.relation_failed(chunk.relation);
    return;
  }
  context_.progress.bytes_expected_done += relation.bytes / relation.chunks;
  board_.chunk_done(chunk.relation, target_share);
}

void Load::prove(const Board::ProofTask& task, TargetSession& target) {
  const auto first = proof_.units()[task.unit].relations.front();
  const auto label = "prove " + context_.plan.relations[first].display();
  uint32_t slices = 0;
  try {
    // Two steps: one that is tried again must not count its slice twice.
    const bool all_read = target.run(label, [&](pg::Connection& connection) {
      if (task.slice) return proof_.read_slice(task.unit, *task.slice, connection);
      slices = proof_.prepare(task.unit, connection);
      return false;
    });
    if (all_read)
      target.run(label, [&](pg::Connection& connection) { proof_.compare(task.unit, connection); });
  } catch (const base::Error& error) {
    if (ends_the_run(error, context_.options)) throw;
    context_.problems.add({Problem::Kind::failed, label, error.message(), error.hint()});
  }
  if (task.slice) {
    board_.slice_done();
  } else {
    board_.add_slices(task.unit, slices);
  }
}

void Load::index_worker(const base::Stop& stop) {
  TargetSession target(context_, stop);
  while (const auto task = board_.take_target(stop)) {
    if (task->index) {
      build_index(*task->index, task->helpers, target);
    } else {
      analyze(*task->analyze, target);
    }
  }
}

void Load::build_index(const Board::IndexTask& task, unsigned helpers, TargetSession& target) {
  const auto& item = indexes_[task.item];
  const auto entry = work_.schema->read(*item.entry);
  const auto label = "index " + item.index->name().display();
  target.show(label, [&](pg::Connection& connection) {
    connection.exec(index_settings_sql(*item.index, helpers));
    base::crash_point("index_start.before");
    work_.items->run(connection, entry.id, entry, build_index_sql(item, entry));
    base::crash_point("index_start.after");
  });
  ++context_.progress.indexes_done;
  board_.index_done(task.relation);
}

void Load::analyze(const Board::Analyze& task, TargetSession& target) {
  const auto& relation = context_.plan.relations[task.relation];
  if (relation.kind == Relation::Kind::table) {
    try {
      copy::analyze(context_, target, relation.name);
    } catch (const base::Error& error) {
      // Statistics are for speed: a table that cannot be analyzed is worth a note only.
      if (ends_the_run(error, context_.options)) throw;
      context_.problems.add(
          {Problem::Kind::note, "analyze " + relation.display(), error.message(), error.hint()});
    }
  }
  board_.analyze_done();
}

}  // namespace copy
