#pragma once

#include <span>
#include <string_view>

namespace cli {

/// A file of the source tree that the program has with it (cmake/embed.cmake).
struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

/// What is in cli/demo: scripts for psql.
std::span<const EmbeddedFile> demo_files();

}  // namespace cli
