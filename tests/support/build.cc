#include "tests/support/build.h"

#include <string_view>

namespace support {

namespace fs = std::filesystem;

fs::path source_directory() { return SOURCE_DIR; }
fs::path source_file(const fs::path& path) { return source_directory() / path; }
fs::path data_file(const std::string& name) {
  auto file = source_file("tests/data") / name;
  return fs::exists(file) ? file : source_file("cli/demo") / name;
}
fs::path build_directory() { return BUILD_DIR; }
fs::path cutover_program() { return CUTOVER_BINARY; }
bool sanitized() { return !std::string_view(SANITIZER).empty(); }

}  // namespace support
