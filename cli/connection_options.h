#pragma once

#include <vector>

#include "cli/copy_options.h"
#include "cli/option_set.h"
#include "cli/option_values.h"

namespace cli {

/// --source and --source-auth.
void add_source_option(OptionSet& set, RunOptions& options);
void add_target_option(OptionSet& set, RunOptions& options);
void add_run_dir_option(OptionSet& set, copy::Options& options);

/// Throw Error{usage} when it was not given.
void require_source(const copy::Options& options);
void require_target(const copy::Options& options);
/// Both, and that they do not name the same database; the preflight finds the less obvious cases.
void require_both(const copy::Options& options, const std::vector<DatabasePair>& databases);

}  // namespace cli
