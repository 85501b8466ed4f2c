#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/sink.h"
#include "base/uint128.h"

namespace base {

/// Writes the few shapes our binary records are made of. Integers are LEB128 varints, strings are a varint
/// length and the bytes, 128-bit values are 16 bytes little endian.
class Encoder {
 public:
  Encoder& number(uint64_t value);
  Encoder& wide(uint128 value);
  Encoder& text(std::string_view value);
  Bytes bytes() const { return std::as_bytes(std::span(out_)); }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

/// Reads what Encoder wrote. Throws Error{corrupt} when the bytes end early or a varint is not the
/// shortest form of a 64-bit number. text() points into the bytes given to the constructor.
class Decoder {
 public:
  explicit Decoder(Bytes bytes) : rest_(bytes) {}
  uint64_t number();
  uint128 wide();
  std::string_view text();
  bool at_end() const { return rest_.empty(); }

 private:
  Bytes take(size_t count);
  Bytes rest_;
};

}  // namespace base
