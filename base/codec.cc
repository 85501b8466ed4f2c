#include "base/codec.h"

#include "base/error.h"

namespace base {
namespace {

constexpr uint64_t kLowSeven = 0x7f;
constexpr uint64_t kMore = 0x80;
constexpr unsigned kWideBytes = 16;

}  // namespace

Encoder& Encoder::number(uint64_t value) {
  for (; value > kLowSeven; value >>= 7) out_.push_back(static_cast<char>((value & kLowSeven) | kMore));
  out_.push_back(static_cast<char>(value));
  return *this;
}

Encoder& Encoder::wide(uint128 value) {
  for (unsigned i = 0; i < kWideBytes; ++i, value >>= 8) out_.push_back(static_cast<char>(value & 0xff));
  return *this;
}

Encoder& Encoder::text(std::string_view value) {
  number(value.size());
  out_.append(value);
  return *this;
}

Bytes Decoder::take(size_t count) {
  if (count > rest_.size())
    fail(ErrorKind::corrupt, "a record ends early: {} bytes wanted, {} left", count, rest_.size());
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

uint64_t Decoder::number() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = std::to_integer<uint64_t>(take(1)[0]);
    const uint64_t bits = byte & kLowSeven;
    if ((bits << shift) >> shift != bits) break;
    value |= bits << shift;
    if (byte & kMore) continue;
    // One number has one encoding: a last byte of zero adds nothing and was never written by us.
    if (bits == 0 && shift > 0) break;
    return value;
  }
  fail(ErrorKind::corrupt, "a record holds a number that is not a valid varint");
}

uint128 Decoder::wide() {
  const auto bytes = take(kWideBytes);
  uint128 value = 0;
  for (unsigned i = kWideBytes; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(bytes[i]);
  return value;
}

std::string_view Decoder::text() {
  const auto bytes = take(number());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace base
