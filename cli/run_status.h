#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "cli/report_section.h"
#include "copy/run_state.h"

/// A run as it looks from outside, beside the process that works on it.
namespace cli {

struct RunStatus {
  std::filesystem::path directory;
  copy::RunState state;
  uint64_t chunks_total = 0;  ///< 0: the plan is not stored yet
  uint64_t relations_total = 0;
  std::optional<pid_t> process;  ///< that works on it now
  std::optional<Json> progress;  ///< status.json, of the process that works on it or of the last one
};

/// True for that of a copy or an upload.
bool is_run_directory(const std::filesystem::path& directory);
/// The directory itself, or those below it that are run directories: of --databases, or of a `cutover run`.
/// Throws Error{usage} when there is none.
std::vector<std::filesystem::path> run_directories(const std::filesystem::path& directory);
/// The same, which may be none.
std::vector<std::filesystem::path> run_directories_if_any(const std::filesystem::path& directory);
/// When a copy was begun, or one was removed to begin anew, as results write it; empty: neither.
std::string copy_begun(const copy::RunState& state);
/// That of the newest of the copies in and below the directory; empty: there is none. What was said before
/// is not about it.
std::string newest_copy(const std::filesystem::path& directory);
RunStatus read_status(const std::filesystem::path& directory);

/// The headline is the state.
ReportSection status_section(const RunStatus& status);
/// One line, for --watch on a pipe.
std::string status_line(const RunStatus& status);
Json status_json(const RunStatus& status);

}  // namespace cli
