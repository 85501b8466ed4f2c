#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "copy/end_state.h"
#include "copy/plan.h"
#include "copy/proof.h"
#include "copy/run_state.h"
#include "pg/conninfo.h"
#include "pg/digest.h"

namespace copy {

/// What the run directory of a copy knows of the source at its snapshot: enough to compare the target with it
/// at any later time, without reading the source.
struct RecordedRun {
  struct Unit {
    ProofUnit unit;
    /// Of what left the source; nothing when the run did not get to proving it.
    std::optional<pg::BucketDigest> digest;
  };
  std::string run_id;
  std::string source;  ///< redacted
  std::string target;  ///< redacted
  std::chrono::system_clock::time_point started;
  SnapshotRecord snapshot;
  pg::DigestKey key;
  Plan plan;
  std::vector<Unit> units;
  std::optional<std::vector<SequenceValue>> sequences;  ///< nothing after an import, whose archive has them
};

/// Throws Error{usage} when the directory holds no run that has come to its end.
RecordedRun read_recorded_run(const std::filesystem::path& run_dir);

/// Throws Error{usage} unless that is the database which the run has copied.
void require_source(const RecordedRun& run, const pg::Conninfo& source, const base::Stop& stop);

/// Throws Error{usage} when `target` is the database which the run has copied. By what a database goes by,
/// which outlasts a restart; a clone, which goes by the same, has the run's ledger, if it is the target.
void refuse_source_as_target(const RecordedRun& run, const pg::Conninfo& target, const base::Stop& stop);

/// What says that these are not the databases of the run: another source, or a target whose ledger does not
/// know the run. An Error{usage}, to be thrown; nothing: they are. Throws what connecting throws: then nobody
/// knows.
std::optional<base::Error> wrong_pair(const RecordedRun& run, const pg::Conninfo& source,
                                      const pg::Conninfo& target, const base::Stop& stop);

}  // namespace copy
