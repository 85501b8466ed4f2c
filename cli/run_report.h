#pragma once

#include <filesystem>
#include <vector>

#include "cli/log.h"
#include "cli/report_section.h"

/// What the root directory of a `cutover run` says, at any time: while the run goes on, and afterwards.
namespace cli {

inline constexpr const char* kTimelineFile = "run.json";
inline constexpr const char* kRunReportFile = "run-report.json";
inline constexpr const char* kRunPageFile = "report.html";
inline constexpr const char* kCheckReportFile = "check-report.json";

bool is_run_root(const std::filesystem::path& directory);
/// Throws Error{usage} for the root of a `cutover run`, where another command would put its own state.
/// A run there has moved databases, or begun to.
bool has_moved_databases(const std::filesystem::path& root);
void refuse_run_root(const std::filesystem::path& run_dir);

/// Removes what the run itself has kept in its root, and the root unless something else is in it. Returns
/// whether it is gone.
bool remove_run_root(const std::filesystem::path& root);

/// run.json. A run that nobody works on and that has no verdict is "incomplete".
Json run_timeline(const std::filesystem::path& root);
/// The same with all results that are kept below the root ("documents").
Json run_document(const std::filesystem::path& root);
ReportSection run_section(const Json& report);
/// The run's own, or that of a check by hand since, if it is worse. Of run_document().
int exit_code_of_run(const Json& report);

}  // namespace cli
