#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#define XXH_STATIC_LINKING_ONLY  // XXH3_state_t by value
#include <xxhash.h>

#include "base/sink.h"
#include "base/uint128.h"
#include "pg/digest.h"
#include "pg/strong_hash.h"

/// How a row is hashed and which bucket it is counted in: said once, for RowDigest, which takes whole tables,
/// and for whoever looks at single rows. Included by .cc files only.
namespace pg {

inline base::uint128 to_uint128(XXH128_hash_t hash) {
  return (base::uint128{hash.high64} << 64) | hash.low64;
}

inline base::uint128 keyed_hash(const DigestKey& key, base::Bytes bytes) {
  const auto secret = key.secret();
  return to_uint128(XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret.data(), secret.size()));
}

/// The float, of 4 or 8 bytes as they are sent, that every NaN is digested as: what the server reads 'NaN'
/// as.
inline base::Bytes one_nan(size_t size) {
  static constexpr std::array kSingle{std::byte{0x7F}, std::byte{0xC0}, std::byte{0}, std::byte{0}};
  static constexpr std::array kDouble{std::byte{0x7F}, std::byte{0xF8}, std::byte{0}, std::byte{0},
                                      std::byte{0},    std::byte{0},    std::byte{0}, std::byte{0}};
  return size == kSingle.size() ? base::Bytes(kSingle) : base::Bytes(kDouble);
}

/// A NaN of another bit pattern than one_nan(): all bits of the exponent are set, and any of the fraction.
inline bool is_other_nan(base::Bytes value) {
  if (value.size() == sizeof(uint64_t)) {
    uint64_t bits = 0;
    std::memcpy(&bits, value.data(), sizeof bits);
    constexpr uint64_t kInfinity = 0x7FF0000000000000;
    return (__builtin_bswap64(bits) & ~(uint64_t{1} << 63)) > kInfinity &&
           std::memcmp(value.data(), one_nan(value.size()).data(), value.size()) != 0;
  }
  if (value.size() != sizeof(uint32_t)) return false;
  uint32_t bits = 0;
  std::memcpy(&bits, value.data(), sizeof bits);
  constexpr uint32_t kInfinity = 0x7F800000;
  return (__builtin_bswap32(bits) & ~(uint32_t{1} << 31)) > kInfinity &&
         std::memcmp(value.data(), one_nan(value.size()).data(), value.size()) != 0;
}

/// The hash of rows, of one that lies whole or of one that comes in pieces; both give the same value.
class RowStream {
 public:
  explicit RowStream(const DigestKey& key) : key_(key) {
    if (key.is_strong()) strong_.emplace(key.secret());
    restart();
  }
  base::uint128 whole(base::Bytes bytes) {
    if (!strong_) return keyed_hash(key_, bytes);
    strong_->add(bytes);
    return strong_->take();
  }
  void restart() {
    if (strong_) {
      strong_->take();
    } else {
      XXH3_128bits_reset_withSecret(&state_, key_.secret().data(), key_.secret().size());
    }
  }
  void add(base::Bytes bytes) {
    if (strong_) {
      strong_->add(bytes);
    } else {
      XXH3_128bits_update(&state_, bytes.data(), bytes.size());
    }
  }
  /// To be called once after the last add().
  base::uint128 value() { return strong_ ? strong_->take() : to_uint128(XXH3_128bits_digest(&state_)); }

 private:
  const DigestKey& key_;
  std::optional<StrongHash> strong_;
  XXH3_state_t state_;
};

/// The hash of the key's columns in turn, one value per column folded into the next.
class KeyHash {
 public:
  void add_column(base::uint128 hash) {
    value_ = ((value_ << 29) | (value_ >> 35)) * 0x9E3779B97F4A7C15ULL + static_cast<uint64_t>(hash);
  }
  // The top bits of the product are the well mixed ones.
  uint32_t bucket(uint32_t buckets) const {
    return static_cast<uint32_t>((value_ * 0x9E3779B97F4A7C15ULL) >> 40) & (buckets - 1);
  }

 private:
  uint64_t value_ = 0;
};

/// `buckets` is a power of two, as everywhere.
inline uint32_t bucket_without_key(base::uint128 row_hash, uint32_t buckets) {
  return static_cast<uint32_t>(row_hash >> 96) & (buckets - 1);
}

}  // namespace pg
