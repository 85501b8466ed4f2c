#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace s3 {

/// Content types by extension, from the system's table: /etc/mime.types (package media-types), else
/// /usr/share/mime/globs2 (shared-mime-info).
class ContentTypes {
 public:
  /// From the system; empty() when neither table is there.
  static ContentTypes from_system();
  /// Both tables' contents as text, either may be empty.
  ContentTypes(std::string_view mime_types, std::string_view globs2);

  bool empty() const { return by_extension_.empty(); }
  /// "application/octet-stream" when the extension is unknown.
  std::string_view of(std::string_view path) const;

 private:
  std::unordered_map<std::string, std::string> by_extension_;
};

}  // namespace s3
