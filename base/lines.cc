#include "base/lines.h"

#include <span>

namespace base {
namespace {

constexpr size_t kBlock = size_t{64} << 10;

}  // namespace

std::optional<std::string_view> Lines::next() {
  for (;;) {
    if (const auto end = text_.find('\n', looked_at_); end != std::string::npos) {
      const auto line = std::string_view(text_).substr(begin_, end - begin_);
      begin_ = looked_at_ = end + 1;
      return line;
    }
    text_.erase(0, begin_);
    begin_ = 0;
    looked_at_ = text_.size();
    text_.resize(looked_at_ + kBlock);
    const auto got = in_.read(std::as_writable_bytes(std::span(text_).subspan(looked_at_)));
    text_.resize(looked_at_ + got);
    if (got > 0) continue;
    if (text_.empty()) return std::nullopt;
    ended_ = false;
    begin_ = looked_at_;
    return std::string_view(text_);
  }
}

}  // namespace base
