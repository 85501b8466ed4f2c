#pragma once

#include <map>
#include <string>

#include "cli/log.h"
#include "cli/verify_options.h"
#include "copy/progress.h"
#include "copy/recorded.h"
#include "verify/options.h"
#include "verify/progress.h"

/// What the commands that compare two databases share.
namespace cli {

/// The copy's memory of the source, in the comparison's terms.
verify::Recorded recorded_by(copy::RecordedRun run);

/// `database` must outlive the result.
verify::Options comparison_options(const VerifyOptions& options, const copy::Options& database);

/// The digests of a copy are of the rows that it copied: throws Error{usage} unless it had these row filters.
void require_recorded_filters(const std::map<std::string, std::string>& filters,
                              const verify::Recorded& recorded);

/// The comparison's progress in the terms that are shown for every command.
copy::Progress::Snapshot shown(verify::Progress& progress);

/// Keeps a result: in the run directory under `name` when there is one, and in the files that were asked for.
void keep_result(const VerifyOptions& options, const std::string& run_dir, const std::string& name,
                 const Json& report);

}  // namespace cli
