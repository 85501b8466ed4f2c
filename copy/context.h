#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/stop.h"
#include "copy/archive.h"
#include "copy/ledger.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "copy/progress.h"
#include "copy/run_dir.h"
#include "pg/connection.h"
#include "pg/digest.h"
#include "pg/session.h"

namespace copy {

/// Something that keeps a run from a clean result. Kept apart from the log: the report lists them all.
struct Problem {
  enum class Kind {
    note,        ///< reported; does not change the exit code
    failed,      ///< could not be done or not be checked: exit code 3
    difference,  ///< source and target differ: exit code 1
  };
  Kind kind = Kind::failed;
  std::string object;
  std::string message;
  std::string hint;
};

/// Collects problems from all threads, and logs each once.
class Problems {
 public:
  void add(Problem problem);
  std::vector<Problem> list();
  bool any(Problem::Kind kind);

 private:
  base::Guarded<std::vector<Problem>> list_;
};

class PgToolFinder;

/// What the phases of a run share. Made by the engine once the plan is known; phases read it from many
/// threads, and everything in it that changes is thread-safe.
struct Context {
  const Options& options;
  const Plan& plan;
  const pg::DigestKey& key;
  const Ledger& ledger;
  RunDir& dir;
  Archive* archive = nullptr;  ///< written to beside the target, or by an export alone
  PgToolFinder& tools;         ///< the engine's thread's alone
  Progress& progress;
  Problems& problems;
  base::Stop stop;
  bool replica_role = false;  ///< the target lets us switch triggers and foreign keys off in our sessions

  /// What a worker's session is called in pg_stat_activity.
  std::string application_name() const { return application_name(ledger); }
  static std::string application_name(const Ledger& of) { return "cutover " + of.run_id(); }
  pg::Connection open_source(const base::Stop& worker_stop) const;
  /// For everything but chunks. Commits are asynchronous here too: what a crash of the target takes, it takes
  /// together with its ledger row, and the end of the run waits for one commit that is not and looks at the
  /// ledger once more. What has no ledger row sets synchronous_commit itself.
  pg::Connection open_target(const base::Stop& worker_stop) const;
  /// For chunks.
  pg::Connection open_loading_target(const base::Stop& worker_stop) const;
  /// base::retry with this run's policy; every retry is counted and logged under `what`.
  base::RetryNotice retry_notice(std::string what) const;
};

/// "copy public.orders 3/12"
std::string chunk_label(const Relation& relation, uint32_t chunk);

}  // namespace copy
