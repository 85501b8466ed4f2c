#pragma once

#include <filesystem>
#include <string>

namespace support {

/// A file of tests/data.
inline std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(SOURCE_DIR) / "tests/data" / name;
}

}  // namespace support
