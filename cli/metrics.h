#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "cli/any_status.h"

namespace cli {

/// The runs of `directory` in Prometheus's text format, version 0.0.4. Every value has the label run, the run
/// directory relative to `directory` ("." for itself), and kind, "copy" or "upload".
std::string metrics_text(const std::filesystem::path& directory, std::span<const AnyStatus> all);

}  // namespace cli
