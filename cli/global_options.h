#pragma once

#include <filesystem>

#include <spdlog/common.h>

namespace cli {

class OptionSet;

enum class LogFormat { text, json };

/// What every command understands.
struct GlobalOptions {
  std::filesystem::path config = {};  ///< the file that is read; empty: none
  LogFormat log_format = LogFormat::text;
  spdlog::level::level_enum log_level = spdlog::level::info;
  bool quiet = false;    ///< nothing but errors and the final result
  bool progress = true;  ///< live lines, or a line every few seconds
};

void add_global_options(OptionSet& set, GlobalOptions& options);

}  // namespace cli
