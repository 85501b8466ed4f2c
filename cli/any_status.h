#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/report_section.h"
#include "cli/run_status.h"
#include "cli/upload_status.h"

/// All the runs of a directory, whatever they are of.
namespace cli {

using AnyStatus = std::variant<RunStatus, UploadStatus>;

/// Throws Error{usage} when there is none.
std::vector<AnyStatus> read_statuses(const std::filesystem::path& directory);
bool any_running(std::span<const AnyStatus> all);

ReportSection status_section(const AnyStatus& status);
std::string status_text(const AnyStatus& status, bool colours);
/// One line, for --watch on a pipe.
std::string status_line(const AnyStatus& status);
Json status_json(const AnyStatus& status);

}  // namespace cli
