#include "pg/copy_rows.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/sink.h"
#include "tests/pg/copy_rows.h"

namespace pg {
namespace {

using base::Bytes;
using base::bytes_of;
using namespace test;
using ::testing::ElementsAre;

std::vector<Row> random_rows(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Row> rows(random() % 40);
  for (auto& row : rows)
    for (int i = 0; i < 4; ++i)
      row.push_back(random() % 5 == 0
                        ? std::nullopt
                        : std::optional(std::string(random() % 30, static_cast<char>('a' + random() % 26))));
  return rows;
}

template <typename Sink>
void write_in_pieces(Sink& sink, const std::string& stream, std::mt19937& random) {
  for (size_t at = 0; at < stream.size();) {
    const auto size = std::min<size_t>(stream.size() - at, 1 + random() % 50);
    sink.write(bytes_of(stream).subspan(at, size));
    at += size;
  }
  sink.finish();
}

class CopyRows : public ::testing::TestWithParam<CopyFormat> {};

// What single rows hash to must add up to what RowDigest makes of the stream, bucket by bucket.
TEST_P(CopyRows, SingleRowsHashAsTheWholeStreamDoes) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    const auto key = seed % 2 == 0 ? DigestKey::random() : DigestKey::random().strong();
    std::mt19937 random(seed);
    const auto rows = random_rows(seed);
    const auto stream = stream_of(GetParam(), rows);
    const RowShape shape{GetParam(), 4, seed % 3 == 0 ? std::vector<uint32_t>() : std::vector<uint32_t>{1, 3},
                         8};
    RowDigest expected(key, shape);
    write_in_pieces(expected, stream, random);

    RowHasher hasher(key, shape);
    BucketDigest found(8);
    std::vector<Row> seen;
    RowSplitter splitter(GetParam(), 4, [&](std::span<const Bytes> columns) {
      const auto hash = hasher.row(columns);
      found[hasher.bucket(columns, hash)].add_row(hash);
      Row& row = seen.emplace_back();
      for (const auto column : columns) row.push_back(column_value(GetParam(), column));
    });
    write_in_pieces(splitter, stream, random);
    EXPECT_EQ(found, expected.digest()) << seed;
    EXPECT_EQ(seen, rows) << seed;
  }
}

// The strong hash is another one, and the same for every split of the stream.
TEST_P(CopyRows, TheStrongHashIsAFunctionOfTheRow) {
  const auto key = DigestKey::random();
  const RowShape shape{GetParam(), 4, {1}, 4};
  const auto digest_of = [&](const DigestKey& with, const std::vector<Row>& rows, uint32_t seed) {
    std::mt19937 random(seed);
    RowDigest digest(with, shape);
    write_in_pieces(digest, stream_of(GetParam(), rows), random);
    return digest.digest();
  };
  const auto rows = random_rows(7);
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(digest_of(key.strong(), rows, 1), digest_of(key.strong(), rows, 2));
  EXPECT_NE(digest_of(key.strong(), rows, 1), digest_of(key, rows, 1));
  EXPECT_NE(digest_of(key.strong(), rows, 1), digest_of(DigestKey::random().strong(), rows, 1));
  auto others = rows;
  others.front().back() = "another";
  EXPECT_NE(digest_of(key.strong(), rows, 1), digest_of(key.strong(), others, 1));
}

TEST_P(CopyRows, MoreColumnsBehindTheRowDoNotCount) {
  const auto key = DigestKey::random();
  const RowShape shape{GetParam(), 2, {0}, 4};
  RowDigest expected(key, shape);
  const auto stream = stream_of(GetParam(), {{"a", "b"}});
  expected.write(bytes_of(stream));
  expected.finish();
  RowHasher hasher(key, shape);
  BucketDigest found(4);
  RowSplitter splitter(GetParam(), 3, [&](std::span<const Bytes> columns) {
    const auto hash = hasher.row(columns);
    found[hasher.bucket(columns, hash)].add_row(hash);
  });
  splitter.write(bytes_of(stream_of(GetParam(), {{"a", "b", "more"}})));
  splitter.finish();
  EXPECT_EQ(found, expected.digest());
}

// The same NaN whatever its bits, as RowDigest has it; other columns and rows stay as they came.
TEST(CopyRowsBinary, EveryNaNOfAFloatColumnIsOne) {
  const std::string plain("\x7f\xf8\0\0\0\0\0\0", 8);
  const std::string other("\xff\xf8\0\0\0\0\0\0", 8);
  const auto key = DigestKey::random();
  const RowShape shape{CopyFormat::binary, 3, {1}, 8, {1, 2}};
  const auto stream =
      stream_of(CopyFormat::binary, {{other, other, std::nullopt}, {"a", std::nullopt, plain}});
  RowDigest expected(key, shape);
  expected.write(bytes_of(stream));
  expected.finish();
  RowHasher hasher(key, shape);
  BucketDigest found(8);
  std::vector<Row> seen;
  RowSplitter splitter(
      CopyFormat::binary, 3,
      [&](std::span<const Bytes> columns) {
        const auto hash = hasher.row(columns);
        found[hasher.bucket(columns, hash)].add_row(hash);
        Row& row = seen.emplace_back();
        for (const auto column : columns) row.push_back(column_value(CopyFormat::binary, column));
      },
      shape.floats);
  std::mt19937 random(1);
  write_in_pieces(splitter, stream, random);
  EXPECT_EQ(found, expected.digest());
  EXPECT_THAT(seen, ElementsAre(Row{other, plain, std::nullopt}, Row{"a", std::nullopt, plain}));
}

TEST_P(CopyRows, ADamagedStreamIsRefused) {
  const auto read = [&](const std::string& stream, uint32_t columns) {
    RowSplitter splitter(GetParam(), columns, [](auto) {});
    splitter.write(bytes_of(stream));
    splitter.finish();
  };
  const auto stream = stream_of(GetParam(), {{"a", "b"}, {"c", std::nullopt}});
  read(stream, 2);
  EXPECT_THROW(read(stream, 3), base::Error);
  EXPECT_THROW(read(stream, 1), base::Error);
  EXPECT_THROW(read(stream.substr(0, stream.size() - 1), 2), base::Error);
}

INSTANTIATE_TEST_SUITE_P(Formats, CopyRows, ::testing::Values(CopyFormat::binary, CopyFormat::text),
                         [](const auto& test) {
                           return test.param == CopyFormat::binary ? "Binary" : "Text";
                         });

TEST(CopyRowsText, EscapesAreUndone) {
  std::vector<std::optional<std::string>> values;
  RowSplitter splitter(CopyFormat::text, 4, [&](std::span<const Bytes> columns) {
    for (const auto column : columns) values.push_back(column_value(CopyFormat::text, column));
  });
  splitter.write(bytes_of("a\\tb\\n\\r\\b\\f\\v\\\\N\t\\N\t\t\\\\N\n"));
  splitter.finish();
  EXPECT_THAT(values, ElementsAre("a\tb\n\r\b\f\v\\N", std::nullopt, "", "\\N"));
}

}  // namespace
}  // namespace pg
