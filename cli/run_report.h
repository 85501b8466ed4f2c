#pragma once

#include <filesystem>
#include <string>
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
/// A run there has moved databases, or begun to.
bool has_moved_databases(const std::filesystem::path& root);
/// Throws Error{usage} for the root of a `cutover run`, where another command would put its own state.
void refuse_run_root(const std::filesystem::path& run_dir);

/// Removes what the run itself has kept in its root, and the root unless something else is in it. Returns
/// whether it is gone.
bool remove_run_root(const std::filesystem::path& root);

/// run.json, with the verdict that holds now: "incomplete" of a run that nobody works on and that came to
/// none, or whose copy was started over since; that of a check by hand since, if it is worse. `newest_copy`:
/// newest_copy() of database_dir(root), of which the caller knows.
Json run_timeline(const std::filesystem::path& root, const std::string& newest_copy);
/// The same with all results that are kept below the root ("documents"). The check's is left out when it is
/// of an earlier run, or of an earlier copy.
Json run_document(const std::filesystem::path& root, const std::string& newest_copy);
Json run_document(const std::filesystem::path& root);
ReportSection run_section(const Json& report);

}  // namespace cli
