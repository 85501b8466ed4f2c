#include "pg/digest.h"

#include <algorithm>
#include <charconv>
#include <random>

#include <fmt/format.h>
#define XXH_STATIC_LINKING_ONLY  // XXH3_generateSecret
#include <xxhash.h>

#include "base/codec.h"
#include "base/error.h"

namespace pg {
namespace {

constexpr base::uint128 kModulus = (base::uint128{1} << 127) - 1;

base::uint128 reduce(base::uint128 value) {
  value = (value & kModulus) + (value >> 127);
  return value >= kModulus ? value - kModulus : value;
}

// The most buckets a decoder believes; planning stays far below.
constexpr uint64_t kMostBuckets = 1U << 20;

}  // namespace

void Digest::add_row(base::uint128 hash) {
  ++rows;
  // Both terms are below 2^127 + 1, so that their sum has room.
  sum = reduce(sum + ((hash & kModulus) + (hash >> 127)));
}

Digest& Digest::operator+=(const Digest& other) {
  rows += other.rows;
  sum = reduce(sum + other.sum);
  return *this;
}

std::string Digest::text() const {
  return fmt::format("{}:{:016x}{:016x}", rows, static_cast<uint64_t>(sum >> 64), static_cast<uint64_t>(sum));
}

Digest Digest::parse(std::string_view text) {
  const auto number = [&](std::string_view part, int base) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (error != std::errc() || end != part.data() + part.size())
      base::fail(base::ErrorKind::corrupt, "not a digest: \"{}\"", text);
    return value;
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.size() != colon + 33)
    base::fail(base::ErrorKind::corrupt, "not a digest: \"{}\"", text);
  Digest digest;
  digest.rows = number(text.substr(0, colon), 10);
  digest.sum =
      (base::uint128{number(text.substr(colon + 1, 16), 16)} << 64) | number(text.substr(colon + 17), 16);
  if (digest.sum >= kModulus) base::fail(base::ErrorKind::corrupt, "not a digest: \"{}\"", text);
  return digest;
}

Digest BucketDigest::total() const {
  Digest total;
  for (const auto& bucket : buckets_) total += bucket;
  return total;
}

BucketDigest& BucketDigest::operator+=(const BucketDigest& other) {
  if (other.size() != size())
    base::fail(base::ErrorKind::corrupt, "digests of {} and {} buckets", size(), other.size());
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  return *this;
}

std::string BucketDigest::encode() const {
  base::Encoder out;
  out.number(buckets_.size());
  size_t previous = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i].rows == 0) continue;
    out.number(i - previous).number(buckets_[i].rows).wide(buckets_[i].sum);
    previous = i;
  }
  return out.str();
}

BucketDigest BucketDigest::decode(std::string_view encoded) {
  base::Decoder in(std::as_bytes(std::span(encoded)));
  const auto size = in.number();
  if (size == 0 || size > kMostBuckets) base::fail(base::ErrorKind::corrupt, "a digest of {} buckets", size);
  BucketDigest digest(static_cast<uint32_t>(size));
  uint64_t index = 0;
  bool any = false;
  while (!in.at_end()) {
    const auto gap = in.number();
    const bool in_order = gap > 0 || !any;
    any = true;
    if (!in_order || gap >= size - index)
      base::fail(base::ErrorKind::corrupt, "a digest's bucket {} steps after {}, of {}", gap, index, size);
    index += gap;
    auto& bucket = digest.buckets_[index];
    bucket.rows = in.number();
    bucket.sum = in.wide();
    if (bucket.rows == 0 || bucket.sum >= kModulus)
      base::fail(base::ErrorKind::corrupt, "bucket {} of a digest is not a sum of rows", index);
  }
  return digest;
}

DigestKey::DigestKey(std::span<const std::byte, kSeedBytes> seed) {
  std::ranges::copy(seed, seed_.begin());
  XXH3_generateSecret(secret_.data(), secret_.size(), seed.data(), seed.size());
}

DigestKey DigestKey::random() {
  std::random_device device;  // getrandom() in libstdc++
  std::array<uint32_t, kSeedBytes / 4> words{};
  for (auto& word : words) word = device();
  return DigestKey(std::as_bytes(std::span(words)));
}

DigestKey DigestKey::from_hex(std::string_view hex) {
  std::array<std::byte, kSeedBytes> seed{};
  if (hex.size() != 2 * kSeedBytes)
    base::fail(base::ErrorKind::corrupt, "the digest key has the wrong length");
  for (size_t i = 0; i < kSeedBytes; ++i) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + 2 * i + 2)
      base::fail(base::ErrorKind::corrupt, "the digest key is not hexadecimal");
    seed[i] = static_cast<std::byte>(value);
  }
  return DigestKey(seed);
}

DigestKey DigestKey::strong() const {
  auto key = *this;
  key.strong_ = true;
  return key;
}

std::string DigestKey::hex() const {
  std::string out;
  for (const auto byte : seed_) out += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return out;
}

}  // namespace pg
