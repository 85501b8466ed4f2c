#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/stop.h"
#include "copy/context.h"
#include "copy/finding.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "copy/progress.h"
#include "copy/run_state.h"

namespace copy {

/// The result of a copy, export or import, as plain data. Exit codes are those of docs/architecture.md.
struct Outcome {
  int exit_code = 0;
  bool already_finished = false;  ///< the run directory held a finished run: nothing was done now
  std::string finished_at;        ///< of such a run: when it came to its end, in UTC
  std::string run_id;
  std::string source;          ///< redacted
  std::string target;          ///< redacted; empty for an export
  std::string source_version;  ///< "15.18"
  std::string target_version;  ///< empty when it was not asked now
  std::string snapshot;        ///< the last one chunks were read under: pg::SnapshotMark::transactions
  std::string lsn;             ///< of that snapshot
  std::string resumed;         ///< how a resumed run went on, in a sentence; empty for a new run
  uint64_t relations = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;  ///< of COPY data
  uint64_t chunks = 0;
  uint64_t chunks_before = 0;  ///< of them, done by earlier processes of this run
  uint64_t proven = 0;         ///< relations read back and found equal
  std::chrono::milliseconds elapsed{0};
  std::chrono::milliseconds copy_elapsed{
      0};  ///< of it, from the start of the data phase to the last chunk's commit
  std::chrono::milliseconds copy_cpu{0};  ///< of the processor, for the chunks that this process has copied
  std::vector<Finding> findings;
  std::vector<Problem> problems;
};

/// What `cutover plan` shows.
struct PlanReport {
  Plan plan;
  std::string target_version;  ///< "16.14"; empty without a target
  std::vector<Finding> findings;
  bool blocked() const;
};

/// Asked before anything is dropped or emptied (--restart); returns false to leave everything as it is.
using Confirm = std::function<bool(const std::string& question)>;

/// Looks at both sides and writes nothing on either, nor on disk. Throws Error{usage} when a side cannot be
/// reached.
PlanReport plan_copy(const Options& options, const base::Stop& stop);

/// The whole copy, new or resumed, up to the proof. Throws Error{usage} when it cannot start (preflight
/// findings of severity blocker are listed in the message), Error{corrupt} on damaged state. What goes wrong
/// with single objects is in the outcome. A stop ends it cleanly with exit code 4.
Outcome run_copy(const Options& options, Progress& progress, const Confirm& confirm, const base::Stop& stop);

/// Options::archive is the directory; Options::source alone is used.
Outcome run_export(const Options& options, Progress& progress, const base::Stop& stop);

/// Options::archive is read, Options::target and Options::run_dir are written.
Outcome run_import(const Options& options, Progress& progress, const Confirm& confirm,
                   const base::Stop& stop);

struct CleanReport {
  std::vector<std::string> done;  ///< what was removed
};
/// Drops the ledger from the target and removes the run directory. An unfinished run is only cleaned when
/// confirmed. The ledger is that of all runs to this target: one that is not finished and not this
/// directory's is only given up by a person who reads the question. `unattended`: nobody does, so it is
/// Error{usage}, and nothing is changed.
CleanReport clean(const Options& options, const Confirm& confirm, bool unattended, const base::Stop& stop);

}  // namespace copy
