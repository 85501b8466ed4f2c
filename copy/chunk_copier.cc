#include "copy/chunk_copier.h"

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/crash_point.h"
#include "copy/sql.h"
#include "pg/copy_stream.h"
#include "pg/row_digest.h"

namespace copy {
namespace {

using base::ErrorKind;

// Passes bytes to the digest and to whoever else is there, and counts them and the time that the target
// takes.
class Tee final : public base::ByteSink {
 public:
  Tee(pg::RowDigest& digest, base::ByteSink* archive, base::ByteSink* target, Progress& progress,
      Progress::Scope& scope)
      : digest_(digest), archive_(archive), target_(target), progress_(progress), scope_(scope) {}

  void write(base::Bytes bytes) override {
    digest_.write(bytes);
    if (archive_) archive_->write(bytes);
    if (target_) {
      const auto begun = Clock::now();
      target_->write(bytes);
      on_target_ += Clock::now() - begun;
    }
    total_ += bytes.size();
    progress_.bytes_copied.fetch_add(bytes.size(), std::memory_order_relaxed);
    scope_.add_bytes(bytes.size());
  }
  void finish() override { digest_.finish(); }
  uint64_t total() const { return total_; }
  std::chrono::steady_clock::duration on_target() const { return on_target_; }

 private:
  using Clock = std::chrono::steady_clock;
  pg::RowDigest& digest_;
  base::ByteSink* archive_;
  base::ByteSink* target_;
  Progress& progress_;
  Progress::Scope& scope_;
  uint64_t total_ = 0;
  Clock::duration on_target_{0};
};

}  // namespace

ChunkCopier::ChunkCopier(const Context& context, ChunkSourceFactory open_source, uint32_t snapshot,
                         bool has_target, base::Stop stop)
    : context_(context),
      open_source_(std::move(open_source)),
      snapshot_(snapshot),
      snapshot_mark_(context.dir.state().snapshots[snapshot].mark.transactions),
      has_target_(has_target),
      stop_(std::move(stop)) {}

double ChunkCopier::copy(uint32_t relation, uint32_t chunk) {
  const auto label = chunk_label(context_.plan.relations[relation], chunk);
  const auto cpu_before = base::thread_cpu_time();
  Clock::time_point begun;
  in_doubt_.reset();  // of another chunk, that failed
  base::during(label, [&] {
    const auto done = base::retry(context_.options.retry, stop_, context_.retry_notice(label), [&] {
      try {
        begun = Clock::now();
        on_target_ = {};
        return try_copy(relation, chunk);
      } catch (base::Error& error) {
        disconnect();
        // The chunk is there, or it is not; whichever, the ledger will say it on the next try.
        if (error.kind() == ErrorKind::in_doubt && !stop_.requested()) error.kind(ErrorKind::transient);
        throw;
      }
    });
    context_.dir.record(record::chunk(relation, chunk, done));
    context_.progress.rows_copied += done.rows;
    ++context_.progress.chunks_done;
  });
  context_.progress.copy_cpu_nanoseconds += (base::thread_cpu_time() - cpu_before).count();
  const std::chrono::duration<double> took = Clock::now() - begun;
  return std::min(1.0, std::chrono::duration<double>(on_target_) / took);
}

ChunkRecord ChunkCopier::try_copy(uint32_t relation, uint32_t chunk) {
  if (!has_target_) return load(relation, chunk);
  if (!target_) target_.emplace(context_.open_loading_target(stop_));
  if (in_doubt_ && settled_by_ledger(relation, chunk)) return *std::exchange(in_doubt_, std::nullopt);
  try {
    return load(relation, chunk);
  } catch (const base::Error& error) {
    // What stood in the way may be our own rows: the commit in doubt went through after the ledger was asked.
    if (!in_doubt_ || error.kind() != ErrorKind::permanent) throw;
    disconnect();  // the source, too, may be in the middle of its stream
    target_.emplace(context_.open_loading_target(stop_));
    if (!settled_by_ledger(relation, chunk)) throw;
    return *std::exchange(in_doubt_, std::nullopt);
  }
}

bool ChunkCopier::settled_by_ledger(uint32_t relation, uint32_t chunk) {
  const auto found = context_.ledger.chunk_digest(*target_, relation, chunk);
  // Another content is not ours: it is of an older snapshot, and its removal was lost in a crash.
  if (found && *found != in_doubt_->digest) throw ChunksLost();
  return found.has_value();
}

ChunkRecord ChunkCopier::load(uint32_t relation, uint32_t chunk) {
  const auto& into = context_.plan.relations[relation];
  Progress::Scope scope(context_.progress, chunk_label(into, chunk));
  if (target_) scope.backend(target_->backend_pid());
  if (!source_) source_ = open_source_(stop_);
  std::unique_ptr<Archive::ChunkSink> archive;
  if (context_.archive && !context_.archive->has(relation, chunk))
    archive = context_.archive->chunk_sink(relation, chunk);

  std::optional<pg::CopyWriter> writer;
  if (has_target_) {
    const bool freeze = may_truncate(context_.plan, into);
    begin_load(into, freeze);
    writer.emplace(*target_, copy_in_sql(into, freeze));
  }
  base::crash_point("chunk_copy.before");
  auto [record, buckets] = transfer(relation, chunk, writer ? &*writer : nullptr, archive.get(), scope);
  if (const auto* recorded = source_->recorded(relation, chunk);
      recorded && recorded->digest != record.digest)
    base::fail(
        ErrorKind::corrupt, "{} holds other rows than those that were read at the source",
        Archive::chunk_path(context_.options.archive.value_or("the archive"), relation, chunk).string());
  // Before others can go on with this chunk: the proof reads the same row into another session's buffer.
  if (source_->keeps_large_buffer()) source_.reset();
  if (archive) {
    archive->finish();
    if (&context_.archive->dir() != &context_.dir)
      context_.archive->dir().record(record::chunk(relation, chunk, record));
  }
  if (!writer) return record;

  writer->finish();
  base::crash_point("chunk_copy.after");
  if (writer->rows() != record.rows)
    base::fail(ErrorKind::permanent, "the source sent {} rows, the target stored {}", record.rows,
               writer->rows());
  if (into.kind == Relation::Kind::large_objects)
    target_->exec(fmt::format("{}; {}",
                              context_.ledger.large_objects_sql(relation, chunk, make_large_objects_sql()),
                              store_large_objects_sql()));
  in_doubt_ = record;
  context_.ledger.commit_chunk(*target_,
                               {relation, chunk, record.rows, record.bytes, record.digest, snapshot_mark_, 0},
                               into.display(), describe_chunk(into, chunk), buckets);
  in_doubt_.reset();
  return record;
}

ChunkCopier::Done ChunkCopier::transfer(uint32_t relation, uint32_t chunk, base::ByteSink* target,
                                        base::ByteSink* archive, Progress::Scope& scope) {
  const auto& from = context_.plan.relations[relation];
  pg::RowDigest digest(context_.key, from.shape);
  Tee tee(digest, archive, target, context_.progress, scope);
  source_->read(relation, chunk, tee);
  tee.finish();
  on_target_ = tee.on_target();
  Done done{{}, digest.digest()};
  done.record.digest = done.buckets.total();
  done.record.rows = done.record.digest.rows;
  done.record.bytes = tee.total();
  done.record.snapshot = snapshot_;
  return done;
}

ChunkRecord ChunkCopier::digest_source(uint32_t relation, uint32_t chunk) {
  const auto label = "check " + context_.plan.relations[relation].display();
  return base::during(label, [&] {
    return base::retry(context_.options.retry, stop_, context_.retry_notice(label), [&] {
      try {
        if (!source_) source_ = open_source_(stop_);
        Progress::Scope scope(context_.progress, label);
        const auto done = transfer(relation, chunk, nullptr, nullptr, scope);
        if (source_->keeps_large_buffer()) source_.reset();
        return done.record;
      } catch (const base::Error&) {
        disconnect();
        throw;
      }
    });
  });
}

void ChunkCopier::begin_load(const Relation& relation, bool freeze) {
  std::string sql = "BEGIN";
  if (relation.kind == Relation::Kind::large_objects) sql += "; " + prepare_large_objects_sql();
  // Locked before it is looked at: rows of a transaction that is still open would be truncated unseen.
  if (freeze)
    sql += fmt::format("; LOCK TABLE ONLY {0} IN ACCESS EXCLUSIVE MODE; {1}; TRUNCATE ONLY {0}",
                       relation.name.sql(), assert_empty_sql(relation));
  target_->exec(sql);
}

void ChunkCopier::disconnect() {
  source_.reset();
  target_.reset();
}

}  // namespace copy
