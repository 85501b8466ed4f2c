#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tests/support/build.h"

namespace support {

/// A fenced block of a document of docs/ that stands behind a comment: "<!-- sql: source owner app -->" has
/// the marker "sql: source owner app". Both may be indented; the lines lose that.
struct DocumentBlock {
  std::string marker;
  std::string text;
};

/// The blocks whose marker begins with `prefix`, in their order.
inline std::vector<DocumentBlock> document_blocks(const std::string& name, const std::string& prefix) {
  std::istringstream lines(base::read_file(source_file("docs") / name));
  std::vector<DocumentBlock> blocks;
  bool in_block = false;
  std::string marker;
  for (std::string line; std::getline(lines, line);) {
    const auto text = std::string(base::trimmed(line));
    if (text.starts_with("```")) {
      in_block = !in_block && !marker.empty();
      if (in_block) blocks.push_back({marker, ""});
      marker.clear();
    } else if (in_block) {
      blocks.back().text += text + "\n";
    } else if (text.starts_with("<!-- " + prefix) && text.ends_with(" -->")) {
      marker = text.substr(5, text.size() - 9);
    }
  }
  return blocks;
}

}  // namespace support
