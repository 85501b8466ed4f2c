#pragma once

#include <filesystem>
#include <vector>

#include "cli/log.h"

/// The results that a run directory keeps, as JSON documents.
namespace cli {

/// The files of one run directory, in the order of a move: report.json, verify-report.json,
/// repair-report.json.
std::vector<std::filesystem::path> kept_results(const std::filesystem::path& run_dir);
/// Throws Error{usage} for a file that is no JSON document.
Json read_result(const std::filesystem::path& file);
/// Null when there is none, or it is not whole.
Json read_result_if_exists(const std::filesystem::path& file);

}  // namespace cli
