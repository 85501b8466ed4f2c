#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/journal.h"
#include "copy/plan.h"
#include "copy/run_state.h"
#include "pg/digest.h"

namespace copy {

/// The run directory:
///   lock            held by the running process
///   digest.key      the secret of the digests, mode 0600
///   plan.json.zst   the plan, written once
///   schema.dump     pg_dump's archive of the schema
///   checkpoint.zst  the journal compacted
///   journal.N       records since checkpoint N
///   status.json     the progress, for `cutover status`
///   report.json     the result of the last copy
///   verify-report.json, repair-report.json, differences.jsonl   those of the last comparison and repair
///
/// The checkpoint names the generation N of the journal that goes on from it. A new journal is made before
/// the checkpoint that names it is renamed into place, and the old one is removed after, so that a crash
/// between any two steps leaves a pair that fits. The formats are in docs/journal.md.
class RunDir {
 public:
  /// Opens or makes the directory and locks it. Throws Error{usage} when another process has it,
  /// Error{corrupt} on damaged content: nothing is used then.
  explicit RunDir(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  bool has_run() const { return !state_.run_id.empty(); }
  /// For the single-threaded parts of a run. Worker threads only record.
  const RunState& state() const { return state_; }
  uint64_t torn_bytes() const { return torn_bytes_; }

  /// Thread-safe, unlike state().
  bool has_chunk(uint32_t relation, uint32_t chunk);
  /// The sum of the digests of the relation's chunks, as far as they are there. Thread-safe.
  pg::Digest relation_total(uint32_t relation, uint32_t chunks) {
    const std::lock_guard lock(mutex_);
    pg::Digest total;
    for (uint32_t chunk = 0; chunk < chunks; ++chunk)
      if (const auto* found = state_.chunk(relation, chunk)) total += found->digest;
    return total;
  }

  /// Appends a record and applies it. Thread-safe. Durable within a second, or at the next sync().
  void record(const std::string& payload);
  void sync();
  /// Compacts the journal. Called when it has grown much, and at the end of each phase.
  void checkpoint();

  void store_plan(const Plan& plan) const;
  std::optional<Plan> load_plan() const;
  static constexpr const char* kKeyFile = "digest.key";
  void store_key(const pg::DigestKey& key) const;
  pg::DigestKey load_key() const;
  /// The same of a directory that is only read. Throws Error{usage} when there is no plan.
  static Plan load_plan(const std::filesystem::path& path);
  static pg::DigestKey load_key(const std::filesystem::path& path);
  std::filesystem::path schema_dump() const { return path_ / "schema.dump"; }
  /// Records that schema.dump is complete, with its checksum; the file must be durable.
  void record_schema_dump();
  /// Throws Error{corrupt} that names the file when it is not what was recorded.
  void check_schema_dump() const;

  /// Records, durably, that the run is about to be removed: before what cannot be undone.
  void record_discard();
  /// When a run that begins here now has begun: after all that is recorded of earlier ones.
  std::chrono::system_clock::time_point time_to_start() const;
  /// Removes everything a run has stored here, but for when one was discarded, and keeps the directory and
  /// its lock; other files stay too. A crash half-way leaves a directory without a run.
  void erase();
  /// Removes the directory with what a run has stored here. False: it holds something else, and that stays.
  /// Nothing can be recorded afterwards.
  bool remove();
  /// The run directories directly below `path`, as several databases make them.
  static std::vector<std::filesystem::path> runs_below(const std::filesystem::path& path);
  /// Reads a run's state beside a running process: no lock, no repair.
  static RunState peek(const std::filesystem::path& path);

 private:
  std::filesystem::path journal_path(uint64_t generation) const;
  void load();
  void write_checkpoint();

  std::filesystem::path path_;
  std::optional<base::DirectoryLock> lock_;
  std::mutex mutex_;  // guards what record() changes: state_, journal_, last_sync_
  RunState state_;
  std::optional<base::Journal> journal_;
  uint64_t generation_ = 0;
  uint64_t torn_bytes_ = 0;
  std::chrono::steady_clock::time_point last_sync_;
};

}  // namespace copy
