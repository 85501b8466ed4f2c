#pragma once

#include <filesystem>
#include <string>

namespace support {

/// A file of the project, by its path from the top.
inline std::filesystem::path source_file(const std::string& path) {
  return std::filesystem::path(SOURCE_DIR) / path;
}

/// A file of tests/data.
inline std::filesystem::path data_file(const std::string& name) { return source_file("tests/data/" + name); }

}  // namespace support
