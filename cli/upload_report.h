#pragma once

#include <string>

#include "cli/log.h"
#include "cli/report.h"
#include "s3/uploader.h"

/// The result of `cutover upload` as a document.
namespace cli {

int exit_code_of(const s3::Outcome& outcome);
/// {"version":1, "command":"upload", "verdict":"equal"|"different"|"failed", "exit_code":…, …}
Json upload_report(const s3::Outcome& outcome, const s3::UploadOptions& options, const s3::Endpoint& endpoint,
                   const ReportContext& context);

int exit_code_of(const s3::DryRun& plan);
Json dry_run_json(const s3::DryRun& plan);

}  // namespace cli
