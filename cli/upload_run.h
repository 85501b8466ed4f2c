#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/commands.h"

/// What verify and clean do with the run directory of an upload.
namespace cli {

struct UploadComparison {
  std::filesystem::path run_dir;
  std::string level = "checksum";  ///< as `cutover upload --verify` has it
  bool json = false;
  std::optional<std::filesystem::path> report_file;
};

/// Compares the run's directory with its bucket, and leaves out what the upload left out. Returns the exit
/// code.
int verify_upload(const Invocation& invocation, const UploadComparison& options);

/// Aborts what the run has begun on the server, and removes the run directory. Returns what was done, a line
/// each.
std::string clean_upload(const Invocation& invocation, const std::filesystem::path& run_dir, bool yes);

}  // namespace cli
