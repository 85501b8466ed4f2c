#pragma once

#include "base/sha256.h"
#include "base/uint128.h"

namespace pg {

/// HMAC-SHA-256 with a fixed key, cut to 128 bits; for those who want a comparison to rest on cryptography
/// alone. Ten times as slow as XXH3, which still is less than what the server takes to send the row.
class StrongHash {
 public:
  explicit StrongHash(base::Bytes key) : hmac_(key) {}
  void add(base::Bytes bytes) { hmac_.add(bytes); }
  /// Of what was added since the last call.
  base::uint128 take();

 private:
  base::HmacSha256 hmac_;
};

}  // namespace pg
