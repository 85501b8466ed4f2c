#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

/// What a reader looks through.
struct BrowserView {
  int width = 1280;
  int height = 900;
  bool dark = false;  ///< what the reader's system prefers
};

/// Debian's chromium without a screen. Each call is a browser of its own, with an empty profile for all of
/// them.
class Browser {
 public:
  struct Visit {
    std::string document;              ///< as it was once everything had been loaded and its scripts had run
    std::vector<std::string> console;  ///< what the page and the loading of it had to say
  };
  /// Throws std::runtime_error with the browser's output if it fails. Windows have a least width of 500.
  Visit visit(const std::string& url, const BrowserView& view = {}) const;

  /// Runs `script` in a copy of the page, in a frame of the view's size, and returns what it has put into the
  /// object `measured`. What the page says of content security is left out, else no script would run.
  nlohmann::json measure(const std::string& page, const std::string& script, const BrowserView& view) const;

  /// As the reader would print it.
  void print(const std::string& url, const std::filesystem::path& pdf) const;

 private:
  ProcessResult run(std::vector<std::string> arguments) const;

  TempDir home_;
};

/// "file:///…"
std::string file_url(const std::filesystem::path& path);

}  // namespace support
