#pragma once

#include <filesystem>
#include <string>

#include "cli/commands.h"
#include "cli/verify_options.h"

/// What verify and clean do with the run directory of an upload.
namespace cli {

/// Compares the directory of the upload in options.run_dir with its bucket, and leaves out what the upload
/// left out. Returns the exit code.
int verify_upload(const Invocation& invocation, const VerifyOptions& options);

/// Aborts what the run has begun on the server, and removes the run directory. Returns what was done, a line
/// each.
std::string clean_upload(const Invocation& invocation, const std::filesystem::path& run_dir, bool yes);

}  // namespace cli
