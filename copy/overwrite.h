#pragma once

#include "copy/context.h"
#include "copy/engine.h"

namespace copy {

/// Empties the tables named by Options::overwrite, unless this run has already copied into them.
void overwrite_tables(const Context& context, pg::Connection& target);

/// --restart: removes what the run in `dir` made on the target (its tables and what depends on them, its
/// large objects, its ledger rows), the run directory's content and that of the run's archive (if one is
/// named), after asking. Throws Error{usage} when the answer is no, or the archive is another run's.
void discard_run(const Options& options, RunDir& dir, pg::Connection& target, const Confirm& confirm,
                 const std::optional<std::filesystem::path>& archive);

}  // namespace copy
