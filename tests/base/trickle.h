#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/sink.h"

namespace base::test {

/// Gives a text a few bytes at a time: what is read may come in any number of pieces.
class Trickle : public ByteSource {
 public:
  explicit Trickle(std::string text) : text_(std::move(text)) {}
  size_t read(std::span<std::byte> buffer) override {
    constexpr size_t kPiece = 7;
    const auto size = std::min({kPiece, buffer.size(), text_.size() - at_});
    std::ranges::copy(bytes_of(std::string_view(text_).substr(at_, size)), buffer.begin());
    at_ += size;
    return size;
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

}  // namespace base::test
