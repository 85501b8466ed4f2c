#pragma once

#include <array>
#include <memory>

#include "base/sink.h"

struct evp_mac_ctx_st;

namespace base {

// By libcrypto, whose algorithms are looked up once. Its functions for a single call look them up by name
// each time, which takes longer than to hash what is signed of a request.

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(Bytes bytes);

/// HMAC-SHA-256 with a fixed key. A copy has the same key and what was added.
class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key);
  HmacSha256(const HmacSha256& other);
  HmacSha256& operator=(const HmacSha256&) = delete;
  ~HmacSha256() = default;
  void add(Bytes bytes);
  /// Of what was added since the last call.
  Sha256 take();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace base
