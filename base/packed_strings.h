#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// A list of texts without zero bytes (names of columns, say) that is kept for long and looked at seldom, in
/// one piece of memory: a tenth of what the texts take one by one when they are short.
class PackedStrings {
 public:
  PackedStrings() = default;
  PackedStrings(std::initializer_list<std::string_view> texts) { pack(texts); }
  /// Throws Error{corrupt} for a text with a zero byte.
  explicit PackedStrings(const std::vector<std::string>& texts) { pack(texts); }

  bool empty() const { return packed_.empty(); }
  std::vector<std::string> list() const;
  bool operator==(const PackedStrings&) const = default;

 private:
  template <typename Texts>
  void pack(const Texts& texts);

  std::string packed_;  // each text with a zero byte at its end
};

}  // namespace base
