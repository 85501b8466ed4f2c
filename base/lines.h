#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/sink.h"

namespace base {

/// The lines of a stream, one at a time.
class Lines {
 public:
  explicit Lines(ByteSource& in) : in_(in) {}

  /// Without its end, which the last one may lack; nothing at the end of the stream. Valid until the next
  /// call.
  std::optional<std::string_view> next();
  /// Had the last one its end?
  bool ended() const { return ended_; }

 private:
  ByteSource& in_;
  bool ended_ = true;
  std::string text_;
  size_t begin_ = 0;
  size_t looked_at_ = 0;
};

}  // namespace base
