#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/report_section.h"
#include "cli/run_status.h"
#include "cli/upload_status.h"

/// All the runs of a directory, whatever they are of.
namespace cli {

using AnyStatus = std::variant<RunStatus, UploadStatus>;

/// All that a directory tells.
struct DirectoryStatus {
  std::optional<Json> run;       ///< the timeline, of the root of a `cutover run`
  std::string newest_copy = {};  ///< of the run's own, as cli::newest_copy() says it
  bool running = false;          ///< the run, or one of the others
  std::vector<AnyStatus> all;
};

/// Throws Error{usage} when it is no run directory, and holds none.
DirectoryStatus read_directory(const std::filesystem::path& directory);

bool is_running(const AnyStatus& status);
ReportSection status_section(const AnyStatus& status);
std::string status_text(const AnyStatus& status, bool colours);
/// One line, for --watch on a pipe.
std::string status_line(const AnyStatus& status);
Json status_json(const AnyStatus& status);

}  // namespace cli
