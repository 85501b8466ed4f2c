#include "base/packed_strings.h"

#include "base/error.h"

namespace base {

template <typename Texts>
void PackedStrings::pack(const Texts& texts) {
  size_t size = 0;
  for (const std::string_view text : texts) size += text.size() + 1;
  packed_.reserve(size);
  for (const std::string_view text : texts) {
    if (text.find('\0') != std::string_view::npos) fail(ErrorKind::corrupt, "a name with a zero byte");
    packed_.append(text) += '\0';
  }
}

template void PackedStrings::pack(const std::vector<std::string>&);
template void PackedStrings::pack(const std::initializer_list<std::string_view>&);

std::vector<std::string> PackedStrings::list() const {
  std::vector<std::string> texts;
  for (size_t begin = 0; begin < packed_.size();) {
    const auto end = packed_.find('\0', begin);
    texts.push_back(packed_.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

}  // namespace base
