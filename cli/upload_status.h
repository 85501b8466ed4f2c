#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "cli/log.h"
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

std::string status_text(const UploadStatus& status, bool colours);
/// One line, for --watch on a pipe.
std::string status_line(const UploadStatus& status);
Json status_json(const UploadStatus& status);

}  // namespace cli
