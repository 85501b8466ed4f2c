#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"

namespace support {

/// A fenced block of a document of docs/ that stands behind a comment: "<!-- sql: source owner app -->" has
/// the marker "sql: source owner app".
struct DocumentBlock {
  std::string marker;
  std::string text;
};

/// The blocks whose marker begins with `prefix`, in their order.
inline std::vector<DocumentBlock> document_blocks(const std::string& name, const std::string& prefix) {
  const auto page = base::read_file(std::filesystem::path(SOURCE_DIR) / "docs" / name);
  const std::string begin = "<!-- " + prefix;
  std::vector<DocumentBlock> blocks;
  for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const auto end_of_marker = page.find(" -->\n```", at);
    const auto start = page.find('\n', end_of_marker + 8);
    const auto end = page.find("\n```", start);
    if (end_of_marker == std::string::npos || end == std::string::npos)
      throw std::runtime_error("no block behind " + page.substr(at, 40));
    blocks.push_back({page.substr(at + 5, end_of_marker - at - 5), page.substr(start + 1, end - start)});
  }
  return blocks;
}

}  // namespace support
