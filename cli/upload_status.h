#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "cli/report_section.h"
#include "s3/upload_state.h"

/// An upload as it looks from outside, beside the process that works on it.
namespace cli {

struct UploadStatus {
  std::filesystem::path directory;
  s3::UploadState state;
  std::optional<pid_t> process;  ///< that works on it now
  std::optional<Json> progress;  ///< status.json of that process
};

UploadStatus read_upload_status(const std::filesystem::path& directory);

/// The headline is the state.
ReportSection status_section(const UploadStatus& status);
/// One line, for --watch on a pipe.
std::string status_line(const UploadStatus& status);
Json status_json(const UploadStatus& status);

}  // namespace cli
