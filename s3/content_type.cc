#include "s3/content_type.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "base/file.h"

namespace s3 {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

ContentTypes ContentTypes::from_system() {
  return {base::read_file_if_exists("/etc/mime.types").value_or(""),
          base::read_file_if_exists("/usr/share/mime/globs2").value_or("")};
}

ContentTypes::ContentTypes(std::string_view mime_types, std::string_view globs2) {
  // TYPE EXTENSION…, "#" comments
  std::istringstream lines{std::string(mime_types)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string type;
    words >> type;
    for (std::string extension; words >> extension;) by_extension_.emplace(lower(extension), type);
  }
  if (!by_extension_.empty()) return;
  // WEIGHT:TYPE:GLOB[:FLAGS], best first
  lines = std::istringstream{std::string(globs2)};
  for (std::string line; std::getline(lines, line);) {
    const auto type = line.find(':');
    const auto glob = line.find(":*.", type + 1);
    if (line.starts_with('#') || type == std::string::npos || glob == std::string::npos) continue;
    const auto extension = line.substr(glob + 3, line.find(':', glob + 1) - glob - 3);
    by_extension_.emplace(lower(extension), line.substr(type + 1, glob - type - 1));
  }
}

std::string_view ContentTypes::of(std::string_view path) const {
  const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  // "x.tar.gz" is tried as tar.gz, then as gz; the dot of a hidden file begins no extension.
  for (auto dot = name.find('.', 1); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    const auto found = by_extension_.find(lower(name.substr(dot + 1)));
    if (found != by_extension_.end()) return found->second;
  }
  return "application/octet-stream";
}

}  // namespace s3
