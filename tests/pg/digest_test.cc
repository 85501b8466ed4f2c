#include "pg/digest.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codec.h"
#include "tests/base/matchers.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::uint128;
using base::test::throws;

constexpr uint128 kModulus = (uint128{1} << 127) - 1;
constexpr uint128 wide(uint64_t high, uint64_t low) { return (uint128{high} << 64) | low; }

uint128 random_hash(std::mt19937_64& random) { return wide(random(), random()); }

// The expected sums are from another program's big integers.
TEST(Digest, SumsModuloAMersennePrime) {
  Digest digest;
  const auto expect_after = [&](uint128 hash, const char* text) {
    digest.add_row(hash);
    EXPECT_EQ(digest.text(), text);
  };
  expect_after(1, "1:00000000000000000000000000000001");
  expect_after(kModulus - 1, "2:00000000000000000000000000000000");
  expect_after(kModulus, "3:00000000000000000000000000000000");
  expect_after(kModulus + 1, "4:00000000000000000000000000000001");
  expect_after(~uint128{0}, "5:00000000000000000000000000000002");
  expect_after(wide(0x0123456789abcdef, 0xfedcba9876543210), "6:0123456789abcdeffedcba9876543212");
  expect_after(uint128{0xdeadbeef} << 96, "7:5fd1045689abcdeffedcba9876543213");
}

TEST(Digest, ManyLargeHashesDoNotOverflow) {
  Digest digest;
  for (int i = 0; i < 1000; ++i) digest.add_row(kModulus - 1);  // each is -1
  EXPECT_EQ(digest.text(), "1000:7ffffffffffffffffffffffffffffc17");
  EXPECT_EQ(digest.sum, kModulus - 1000);
}

TEST(Digest, OrderAndSplitDoNotCount) {
  std::mt19937_64 random(17);
  std::vector<uint128> hashes(500);
  for (auto& hash : hashes) hash = random_hash(random);
  Digest whole;
  for (const auto hash : hashes) whole.add_row(hash);
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(hashes, random);
    std::vector<Digest> parts(1 + random() % 9);
    for (const auto hash : hashes) parts[random() % parts.size()].add_row(hash);
    Digest merged;
    for (const auto& part : parts) merged += part;
    EXPECT_EQ(merged, whole);
  }
}

TEST(Digest, DuplicatesCount) {
  Digest once;
  once.add_row(42);
  Digest twice = once;
  twice.add_row(42);
  EXPECT_NE(once, twice);
  Digest four_of_one;
  for (int i = 0; i < 4; ++i) four_of_one.add_row(42);
  Digest two_and_two;
  for (int i = 0; i < 2; ++i) two_and_two.add_row(42);
  for (int i = 0; i < 2; ++i) two_and_two.add_row(43);
  EXPECT_NE(four_of_one, two_and_two);
}

TEST(Digest, ARowWhoseHashIsZeroCounts) {
  Digest one;
  one.add_row(0);
  EXPECT_NE(one, Digest());
}

TEST(Digest, TextReadsBackTheSame) {
  std::mt19937_64 random(18);
  Digest digest;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Digest::parse(digest.text()), digest);
    digest.add_row(random_hash(random));
  }
}

TEST(Digest, DamagedTextIsCorrupt) {
  for (const char* text : {"", ":", "1", "1:", "1:00", "x:00000000000000000000000000000001",
                           "-1:00000000000000000000000000000001", "1:0000000000000000000000000000000g",
                           "1:000000000000000000000000000000010", ":00000000000000000000000000000001",
                           "99999999999999999999:00000000000000000000000000000001",
                           "1:7fffffffffffffffffffffffffffffff", "1:ffffffffffffffffffffffffffffffff"})
    EXPECT_THAT([&] { Digest::parse(text); }, throws(ErrorKind::corrupt)) << text;
}

BucketDigest random_buckets(std::mt19937_64& random, uint32_t size, int rows) {
  BucketDigest digest(size);
  for (int i = 0; i < rows; ++i) digest[static_cast<uint32_t>(random() % size)].add_row(random_hash(random));
  return digest;
}

TEST(BucketDigest, EncodeReadsBackTheSame) {
  std::mt19937_64 random(19);
  for (const uint32_t size : {1U, 2U, 64U, 4096U, 1U << 20})
    for (const int rows : {0, 1, 10, 1000}) {
      const auto digest = random_buckets(random, size, rows);
      EXPECT_EQ(BucketDigest::decode(digest.encode()), digest) << size << " buckets, " << rows << " rows";
    }
}

TEST(BucketDigest, FirstAndLastBucketReadBack) {
  BucketDigest digest(256);
  digest[0].add_row(1);
  digest[255].add_row(2);
  EXPECT_EQ(BucketDigest::decode(digest.encode()), digest);
}

TEST(BucketDigest, OnlyBucketsWithRowsTakeRoom) {
  EXPECT_LE(BucketDigest(1U << 20).encode().size(), 4U);
  BucketDigest one(1U << 20);
  one[77].add_row(1);
  EXPECT_LE(one.encode().size(), 24U);
}

TEST(BucketDigest, AddsBucketByBucketAndTotalsAreSums) {
  std::mt19937_64 random(20);
  auto left = random_buckets(random, 8, 100);
  const auto right = random_buckets(random, 8, 100);
  auto total = left.total();
  total += right.total();
  left += right;
  EXPECT_EQ(left.total(), total);
  EXPECT_EQ(left.total().rows, 200U);
}

TEST(BucketDigest, DifferentSizesDoNotMix) {
  BucketDigest four(4);
  EXPECT_THAT([&] { four += BucketDigest(8); }, throws(ErrorKind::corrupt));
}

TEST(BucketDigest, EveryTruncationIsCorruptOrAnotherDigest) {
  std::mt19937_64 random(21);
  const auto digest = random_buckets(random, 64, 20);
  const auto encoded = digest.encode();
  for (size_t length = 0; length < encoded.size(); ++length) {
    try {
      EXPECT_NE(BucketDigest::decode(std::string_view(encoded).substr(0, length)), digest);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    }
  }
}

TEST(BucketDigest, RandomBytesNeverDoWorseThanCorrupt) {
  std::mt19937_64 random(22);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    try {
      const auto digest = BucketDigest::decode(bytes);
      EXPECT_EQ(BucketDigest::decode(digest.encode()), digest);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    }
  }
}

std::string encoded_with(uint64_t size, std::initializer_list<std::pair<uint64_t, Digest>> buckets) {
  base::Encoder out;
  out.number(size);
  for (const auto& [gap, digest] : buckets) out.number(gap).number(digest.rows).wide(digest.sum);
  return out.str();
}

TEST(BucketDigest, WhatEncodeNeverWritesIsCorrupt) {
  const Digest one{1, 1};
  EXPECT_NO_THROW(BucketDigest::decode(encoded_with(4, {{0, one}, {3, one}})));
  const std::vector<std::string> damaged = {
      encoded_with(0, {}),
      encoded_with(uint64_t{1} << 40, {}),
      encoded_with(4, {{4, one}}),
      encoded_with(4, {{1, one}, {3, one}}),
      encoded_with(4, {{1, one}, {0, one}}),             // the same bucket twice
      encoded_with(4, {{1, one}, {~uint64_t{0}, one}}),  // would wrap around to bucket 0
      encoded_with(4, {{1, Digest{0, 1}}}),
      encoded_with(4, {{1, Digest{1, kModulus}}}),
  };
  for (const auto& bytes : damaged)
    EXPECT_THAT([&] { BucketDigest::decode(bytes); }, throws(ErrorKind::corrupt));
}

TEST(DigestKey, HexReadsBackTheSame) {
  const auto key = DigestKey::random();
  const auto again = DigestKey::from_hex(key.hex());
  EXPECT_EQ(key.hex().size(), 2 * DigestKey::kSeedBytes);
  EXPECT_EQ(again.hex(), key.hex());
  EXPECT_TRUE(std::ranges::equal(again.secret(), key.secret()));
}

TEST(DigestKey, EveryKeyIsAnother) {
  const auto one = DigestKey::random();
  const auto two = DigestKey::random();
  EXPECT_NE(one.hex(), two.hex());
  EXPECT_FALSE(std::ranges::equal(one.secret(), two.secret()));
}

TEST(DigestKey, DamagedHexIsCorrupt) {
  const auto hex = DigestKey::random().hex();
  for (const auto& text : {std::string(), hex.substr(1), hex + "0", "g" + hex.substr(1), "-" + hex.substr(1),
                           " " + hex.substr(1)})
    EXPECT_THAT([&] { DigestKey::from_hex(text); }, throws(ErrorKind::corrupt)) << text;
}

}  // namespace
}  // namespace pg
