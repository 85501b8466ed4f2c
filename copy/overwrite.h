#pragma once

#include "copy/context.h"
#include "copy/engine.h"

namespace copy {

/// Empties the tables named by Options::overwrite, unless this run has already copied into them.
void overwrite_tables(const Context& context, pg::Connection& target);

/// --restart: removes what the run in `dir` made on the target (its tables and what depends on them, its
/// large objects, its ledger rows) and the run directory's content, after asking. Throws Error{cancelled}
/// when the answer is no.
void discard_run(const Options& options, RunDir& dir, pg::Connection& target, const Confirm& confirm);

}  // namespace copy
