#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/uint128.h"

namespace pg {

/// The digest of a multiset of rows: how many, and the sum of their keyed 128-bit hashes modulo 2^127-1. Free
/// of order, so slices read in any split and order merge to the same value; a duplicate counts. What an equal
/// digest proves, and what it assumes, is in docs/consistency.md.
struct Digest {
  uint64_t rows = 0;
  base::uint128 sum = 0;

  void add_row(base::uint128 hash);
  Digest& operator+=(const Digest& other);
  bool operator==(const Digest&) const = default;
  /// "ROWS:HEX", for journals and people.
  std::string text() const;
  static Digest parse(std::string_view text);
};

/// Digests of a table's rows, spread over a power of two of buckets by a keyed hash of the row's key, so that
/// a difference can be narrowed down to a few thousand rows.
class BucketDigest {
 public:
  explicit BucketDigest(uint32_t buckets = 1) : buckets_(buckets) {}
  Digest& operator[](uint32_t bucket) { return buckets_[bucket]; }
  uint32_t size() const { return static_cast<uint32_t>(buckets_.size()); }
  std::span<const Digest> buckets() const { return buckets_; }
  Digest total() const;
  /// Both sides must have the same number of buckets.
  BucketDigest& operator+=(const BucketDigest& other);
  bool operator==(const BucketDigest&) const = default;

  /// Records only the buckets with rows. Format: varint size, then for each non-empty bucket varint (gap to
  /// the previous index), varint rows, 16 bytes of sum, little endian.
  std::string encode() const;
  /// Throws Error{corrupt}.
  static BucketDigest decode(std::string_view encoded);

 private:
  std::vector<Digest> buckets_;
};

/// The secret that makes the hashes unpredictable: without it nobody can construct two different rows that
/// collide. One per run, kept in the run directory (mode 0600), never logged.
class DigestKey {
 public:
  static constexpr size_t kSeedBytes = 32;
  static DigestKey random();
  /// From the hex text of hex(). Throws Error{corrupt}.
  static DigestKey from_hex(std::string_view hex);
  std::string hex() const;
  std::span<const std::byte> secret() const { return secret_; }

  /// The same secret, for hashing rows by HMAC-SHA-256 (StrongHash) instead of XXH3-128.
  DigestKey strong() const;
  bool is_strong() const { return strong_; }

 private:
  explicit DigestKey(std::span<const std::byte, kSeedBytes> seed);
  std::array<std::byte, kSeedBytes> seed_{};
  std::array<std::byte, 192> secret_{};
  bool strong_ = false;
};

}  // namespace pg
