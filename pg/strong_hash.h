#pragma once

#include <memory>

#include "base/sink.h"
#include "base/uint128.h"

struct evp_mac_ctx_st;

namespace pg {

/// HMAC-SHA-256 with a fixed key, cut to 128 bits; for those who want a comparison to rest on cryptography
/// alone. Ten times as slow as XXH3, which still is less than what the server takes to send the row.
class StrongHash {
 public:
  explicit StrongHash(base::Bytes key);
  void add(base::Bytes bytes);
  /// Of what was added since the last call.
  base::uint128 take();

 private:
  struct Deleter {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Deleter> context_;
};

}  // namespace pg
