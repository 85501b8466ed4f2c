#include "pg/row_sketch.h"

#include <map>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/row_digest.h"

namespace pg {
namespace {

base::uint128 any_hash(std::mt19937_64& random) { return base::uint128{random()} << 64 | random(); }

std::string padded(std::string key) {
  key.resize(RowSketch::kKeyBytes);
  return key;
}

void add(RowSketch& sketch, base::uint128 hash, const std::string& key) {
  sketch.add(hash, std::as_bytes(std::span(key)));
}

TEST(RowSketch, TellsTheRowsThatOnlyOneSideHas) {
  std::mt19937_64 random(1);
  for (const int differing : {0, 1, 2, 20, 500}) {
    RowSketch source;
    RowSketch target;
    std::map<std::string, bool> expected;
    for (int i = 0; i < 100'000; ++i) {
      const auto hash = any_hash(random);
      const auto key = "key " + std::to_string(i);
      const bool differs = i % (100'000 / std::max(differing, 1)) == 0 && differing > 0;
      if (!differs || i % 2 == 0) add(source, hash, key);
      if (!differs || i % 2 != 0) add(target, hash, key);
      if (differs) expected.emplace(padded(key), i % 2 == 0);
    }
    source -= target;
    const auto rows = source.decode();
    ASSERT_TRUE(rows.has_value()) << differing;
    std::map<std::string, bool> found;
    for (const auto& row : *rows) found.emplace(row.key, row.added);
    EXPECT_EQ(found, expected);
  }
}

TEST(RowSketch, SaysWhenThereAreTooMany) {
  std::mt19937_64 random(1);
  RowSketch sketch;
  for (int i = 0; i < 5000; ++i) add(sketch, any_hash(random), std::to_string(i));
  EXPECT_FALSE(sketch.decode().has_value());
}

TEST(RowSketch, SlicesAddUp) {
  std::mt19937_64 random(2);
  RowSketch whole;
  RowSketch parts[3];
  RowSketch other;
  for (int i = 0; i < 300; ++i) {
    const auto hash = any_hash(random);
    add(parts[i % 3], hash, std::to_string(i));
    if (i != 7) add(other, hash, std::to_string(i));
  }
  for (const auto& part : parts) whole += part;
  whole -= other;
  const auto rows = whole.decode();
  ASSERT_TRUE(rows && rows->size() == 1);
  EXPECT_EQ(rows->front().key, padded("7"));
  // A row that is on one side twice cannot be told: it is not in the books once.
  const auto twice = any_hash(random);
  add(whole, twice, "twice");
  add(whole, twice, "twice");
  EXPECT_FALSE(whole.decode().has_value());
}

// The keys that RowDigest hands over, however the stream is cut.
TEST(RowSketch, GetsItsKeysFromTheStream) {
  const std::string binary("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\2\0\0\0\4\0\0\0\7\0\0\0\3abc\377\377", 38);
  const std::string text = "7\tabc\n";
  const auto key = DigestKey::random();
  for (const auto format : {CopyFormat::binary, CopyFormat::text}) {
    const auto& stream = format == CopyFormat::binary ? binary : text;
    for (const size_t piece : {1, 3, 100}) {
      RowSketch sketch;
      RowDigest digest(key, {format, 2, {1}, 1}, &sketch);
      for (size_t at = 0; at < stream.size(); at += piece)
        digest.write(std::as_bytes(std::span(stream)).subspan(at, std::min(piece, stream.size() - at)));
      digest.finish();
      const auto rows = sketch.decode();
      ASSERT_TRUE(rows && rows->size() == 1);
      EXPECT_EQ(rows->front().key,
                padded(format == CopyFormat::binary ? std::string("\0\0\0\3abc", 7) : std::string("abc\t")));
      EXPECT_EQ(digest.digest().total().rows, 1U);
    }
  }
}

}  // namespace
}  // namespace pg
