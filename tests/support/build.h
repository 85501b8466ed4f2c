#pragma once

#include <filesystem>
#include <string>

namespace support {

// What only the build knows. It is compiled in at one place, so that no test's object depends on where the
// project stands and another checkout finds them in the compiler's cache.

/// Where the project is.
std::filesystem::path source_directory();
/// A file of the project, by its path from the top.
std::filesystem::path source_file(const std::filesystem::path& path);
/// A file of tests/data; or of cli/demo, whose database is also what tests copy and compare.
std::filesystem::path data_file(const std::string& name);
/// Where this build is.
std::filesystem::path build_directory();
/// The program under test.
std::filesystem::path cutover_program();
/// Whether a sanitizer is compiled in: what a test measures is its own then.
bool sanitized();

}  // namespace support
