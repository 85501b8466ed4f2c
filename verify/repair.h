#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/stop.h"
#include "verify/options.h"
#include "verify/progress.h"
#include "verify/result.h"

namespace verify {

/// One thing that a repair does to the target.
struct RepairStep {
  enum class Kind {
    rows,      ///< rows that differ are deleted, and those of the source put in
    recopy,    ///< every row is deleted, and the source's are put in
    sequence,  ///< its value is set
    refresh,   ///< a materialized view is refreshed
  };
  Kind kind = Kind::rows;
  std::string object;  ///< "public.orders", "sequence public.orders_id_seq"
  uint64_t missing = 0;
  uint64_t extra = 0;
  uint64_t changed = 0;
  uint64_t duplicated = 0;
  std::string reason;     ///< why every row; what the sequence would give
  std::string statement;  ///< of sequences and materialized views
};

/// What a repair found, is about to do or has done.
struct Repair {
  Outcome before;
  std::vector<RepairStep> steps;  ///< in the order in which they are done
  std::vector<Remark> left;       ///< differences that are not mended, and why
  /// Tables that are so far off that this may be another database: nothing is changed while there is one.
  std::vector<std::string> suspicious;
  std::vector<Remark> notes;  ///< what stands aside meanwhile, and the like
  bool applied = false;
  /// Of what was touched, looked at again after it was applied. It says nothing about the rest. When that
  /// look failed, it holds nothing but what was unchecked so.
  std::optional<Outcome> after;

  /// Planned only: that of the comparison. Applied: 0 when nothing is left that differs, 1 when something is,
  /// 3 when something could not be compared, before or after.
  int exit_code() const;
};

struct RepairOptions {
  Options compare;  ///< both sides, level rows
  bool apply = false;
  /// A table of which more than this share of the rows differ (and more than kFewRows) looks like another
  /// database: nothing is changed at all, unless may_recopy() allows that table to be replaced.
  double most_percent = 10;
  /// May every row of this table be deleted, and the source's be put in?
  std::function<bool(const pg::QualifiedName&)> may_recopy;
  /// Gets the statements, for psql; it holds rows.
  std::optional<std::filesystem::path> script;
  /// Asked before anything is changed; empty: yes.
  std::function<bool(const Repair&)> confirm;
};

inline constexpr uint64_t kFewRows = 100;

/// Compares both sides, and makes the target's rows, sequences and materialized views what the source's are.
/// The source is only read. Everything happens in one transaction at the target: all of it or nothing.
///
/// In it, what would act on those rows stands aside: where session_replication_role may be set, it is
/// "replica" and the foreign keys of the tables are checked at the end by a query each; elsewhere, and where
/// a unique or exclusion constraint is deferrable (a trigger checks that), their foreign keys are dropped and
/// added again. Triggers and rules that would fire are disabled. So a row that takes another's unique value,
/// or a row that others refer to, needs no order.
///
/// What is touched is compared again. Throws Error{usage} when `confirm` says no or a table is suspicious,
/// Error{in_doubt} when it is not known whether the transaction was committed, and what compare() throws; any
/// other error on the way leaves the target as it was, but for sequences that may have gone forward. Once the
/// transaction is committed nothing is thrown any more.
Repair repair(const RepairOptions& options, Progress& progress, const base::Stop& stop);

}  // namespace verify
