#pragma once

#include <filesystem>
#include <string>

#include "cli/any_status.h"

namespace cli {

/// The runs of `directory` in Prometheus's text format, version 0.0.4. Every value has the label run, the run
/// directory relative to `directory` ("." for itself), and kind, "copy", "upload" or "run": the `cutover run`
/// whose root `directory` is, with its verdict and its step as labels.
std::string metrics_text(const std::filesystem::path& directory, const DirectoryStatus& all);

}  // namespace cli
