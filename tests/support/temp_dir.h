#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace support {

/// A new directory (mode 0700), removed at the end with what is in it.
class TempDir {
 public:
  TempDir() : path_((std::filesystem::temp_directory_path() / "cutover-XXXXXX").native()) {
    if (!mkdtemp(path_.data())) throw std::runtime_error("cannot make a temporary directory " + path_);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path() / name; }

 private:
  std::string path_;
};

}  // namespace support
