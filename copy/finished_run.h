#pragma once

#include <filesystem>
#include <string>

#include "copy/options.h"
#include "copy/plan.h"
#include "copy/run_dir.h"
#include "pg/connection.h"

namespace copy {

/// A run directory answers only for the job that its run was of. Each throws Error{usage} when it is asked
/// about another one.

/// `with_source`: false for an import, which has none.
void require_same_databases(const Options& options, const RunDir& dir, bool with_source);
/// Neither does a run go on with another selection: what is on the target was chosen by the first.
void require_same_selection(const Options& options, const Plan& plan, const RunDir& dir);

/// Of an import, and also while it is unfinished: every archive has a digest key of its own, and a run of it
/// has taken that over. An archive that is not there answers no question, so it is refused too.
void require_same_archive(const RunDir& dir, const std::filesystem::path& archive);

/// When the run was finished, in UTC. Since then the target may have been made anew, and a success would be
/// said of an empty database: throws Error{permanent} when something of the run is not there any more. Rows
/// may have changed for good reasons, so they are not compared: that is another command.
std::string require_still_there(pg::Connection& target, const Plan& plan, const RunDir& dir);

}  // namespace copy
