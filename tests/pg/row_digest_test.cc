#include "pg/row_digest.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/matchers.h"
#include "tests/pg/copy_rows.h"

namespace pg {
namespace {

using base::ErrorKind;
using base::test::throws;
using namespace test;

using Random = std::mt19937_64;

const DigestKey& key() {
  static const auto fixed =
      DigestKey::from_hex("00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef");
  return fixed;
}

// ----------------------------------------------------------------------------------- reading it back

template <typename NextSize>
BucketDigest digest_in_pieces(const RowShape& shape, std::string_view stream, NextSize next_size) {
  RowDigest digest(key(), shape);
  while (!stream.empty()) {
    const auto piece = stream.substr(0, std::max<size_t>(1, next_size()));
    digest.write(std::as_bytes(std::span(piece)));
    stream.remove_prefix(piece.size());
  }
  digest.finish();
  return digest.digest();
}

BucketDigest digest_of(const RowShape& shape, std::string_view stream) {
  return digest_in_pieces(shape, stream, [&] { return stream.size(); });
}

BucketDigest digest_of(const RowShape& shape, const std::vector<Row>& rows) {
  return digest_of(shape, stream_of(shape.format, rows));
}

// ---------------------------------------------------------------------------------------- random rows

Value random_value(Random& random) {
  switch (random() % 10) {
    case 0:
      return std::nullopt;
    case 1:
      return "";
    case 2:
      return std::string(random() % 700, 'x');  // past the sizes at which XXH3 changes its method
    default:
      break;
  }
  std::string value(random() % 20, '\0');
  static constexpr std::string_view kAwkward("\\\t\n\r\0N\xff|,\"", 10);
  for (auto& c : value)
    c = random() % 2 == 0 ? kAwkward[random() % kAwkward.size()] : static_cast<char>('a' + random() % 26);
  return value;
}

std::vector<Row> random_rows(Random& random, size_t columns, size_t count) {
  std::vector<Row> rows(count, Row(columns));
  for (auto& row : rows) std::ranges::generate(row, [&] { return random_value(random); });
  return rows;
}

std::vector<uint32_t> random_key(Random& random, uint32_t columns) {
  std::vector<uint32_t> positions;
  for (uint32_t column = 0; column < columns; ++column)
    if (random() % 3 == 0) positions.push_back(column);
  return positions;
}

class RowDigestTest : public ::testing::TestWithParam<CopyFormat> {
 protected:
  RowShape shape(uint32_t columns, std::vector<uint32_t> key_columns = {}, uint32_t buckets = 1) const {
    return {GetParam(), columns, std::move(key_columns), buckets};
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, RowDigestTest, ::testing::Values(CopyFormat::binary, CopyFormat::text),
                         [](const auto& test) {
                           return test.param == CopyFormat::binary ? "binary" : "text";
                         });

// --------------------------------------------------------------------------------------------- tests

TEST_P(RowDigestTest, AnySplitOfTheBytesGivesTheSameBuckets) {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const auto columns = static_cast<uint32_t>(random() % 7);
    const auto rows = random_rows(random, columns, random() % 40);
    const auto stream = stream_of(GetParam(), rows);
    const auto wanted = shape(columns, random_key(random, columns), 1U << (random() % 5));
    const auto whole = digest_of(wanted, stream);
    EXPECT_EQ(whole.total().rows, rows.size());
    EXPECT_EQ(digest_in_pieces(wanted, stream, [] { return 1; }), whole) << "one byte at a time";
    for (const size_t longest : {3U, 40U, 5000U})
      EXPECT_EQ(digest_in_pieces(wanted, stream, [&] { return random() % longest; }), whole)
          << "pieces up to " << longest;
  }
}

TEST_P(RowDigestTest, EveryPlaceToCutAStreamInTwoGivesTheSame) {
  const std::vector<Row> rows = {
      {"a", "", std::nullopt}, {"\t\\", "bb", "ccc"}, {std::nullopt, std::nullopt, "\n"}};
  const auto stream = stream_of(GetParam(), rows);
  const auto wanted = shape(3, {0, 2}, 8);
  const auto whole = digest_of(wanted, stream);
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    size_t calls = 0;
    EXPECT_EQ(digest_in_pieces(wanted, stream, [&] { return calls++ == 0 ? cut : stream.size(); }), whole)
        << cut;
  }
}

TEST_P(RowDigestTest, RowsLargerThanThePieces) {
  Random random(2);
  std::vector<Row> rows = {
      {"1", std::string(3'000'000, 'y')}, {std::string(200'000, 'z'), "2"}, {"3", std::nullopt}};
  const auto stream = stream_of(GetParam(), rows);
  for (const auto& key_columns : {std::vector<uint32_t>{}, {0}, {1}, {0, 1}}) {
    const auto wanted = shape(2, key_columns, 64);
    EXPECT_EQ(digest_in_pieces(wanted, stream, [&] { return 1 + random() % 65536; }),
              digest_of(wanted, stream));
  }
}

TEST_P(RowDigestTest, TheOrderOfRowsDoesNotCount) {
  Random random(3);
  auto rows = random_rows(random, 4, 200);
  const auto wanted = shape(4, {1}, 16);
  const auto first = digest_of(wanted, rows);
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(rows, random);
    EXPECT_EQ(digest_of(wanted, rows), first);
  }
}

TEST_P(RowDigestTest, StreamsOfPartsMergeToTheWhole) {
  Random random(4);
  const auto rows = random_rows(random, 3, 100);
  const auto wanted = shape(3, {0}, 32);
  auto merged = digest_of(wanted, std::vector<Row>(rows.begin(), rows.begin() + 37));
  merged += digest_of(wanted, std::vector<Row>(rows.begin() + 37, rows.end()));
  EXPECT_EQ(merged, digest_of(wanted, rows));
}

TEST_P(RowDigestTest, TheBucketDependsOnTheKeyAlone) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    const auto key_columns = std::vector<uint32_t>{1, 3};
    const auto wanted = shape(5, key_columns, 256);
    auto row = random_rows(random, 5, 1)[0];
    const auto bucket_of = [&](const Row& of) {
      const auto digest = digest_of(wanted, std::vector<Row>{of});
      const auto buckets = digest.buckets();
      return std::ranges::find_if(buckets, [](const Digest& bucket) { return bucket.rows == 1; }) -
             buckets.begin();
    };
    const auto before = bucket_of(row);
    for (const size_t column : {0, 2, 4}) row[column] = random_value(random);
    EXPECT_EQ(bucket_of(row), before);
  }
}

TEST_P(RowDigestTest, RowsSpreadOverTheBuckets) {
  std::vector<Row> rows;
  for (int i = 0; i < 6400; ++i) rows.push_back({std::to_string(i), "same"});
  for (const auto& key_columns : {std::vector<uint32_t>{}, {0}, {0, 1}}) {
    const auto digest = digest_of(shape(2, key_columns, 64), rows);
    for (const auto& bucket : digest.buckets()) {
      EXPECT_GT(bucket.rows, 50U);
      EXPECT_LT(bucket.rows, 160U);
    }
  }
}

TEST_P(RowDigestTest, TheNumberOfBucketsDoesNotChangeTheTotal) {
  Random random(6);
  const auto rows = random_rows(random, 3, 100);
  const auto one = digest_of(shape(3), rows).total();
  for (const uint32_t buckets : {2U, 1024U}) EXPECT_EQ(digest_of(shape(3, {2}, buckets), rows).total(), one);
}

TEST_P(RowDigestTest, EveryOneByteChangeOfAValueShows) {
  Random random(7);
  for (int round = 0; round < 100; ++round) {
    const auto rows = random_rows(random, 3, 5);
    const auto before = digest_of(shape(3), rows);
    for (int change = 0; change < 10; ++change) {
      auto changed = rows;
      auto& value = changed[random() % 5][random() % 3];
      if (!value || value->empty()) continue;
      auto& byte = (*value)[random() % value->size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
      EXPECT_NE(digest_of(shape(3), changed), before);
    }
  }
}

TEST_P(RowDigestTest, RowsThatLookAlikeDiffer) {
  const std::vector<Row> alike = {
      {"a|b", "c"},       {"a", "b|c"},       {"a\t", "b"},  {"a", "\tb"},
      {"", std::nullopt}, {std::nullopt, ""}, {"", ""},      {std::nullopt, std::nullopt},
      {"\\N", ""},        {"", "\\N"},        {"a", "b"},    {"b", "a"},
      {"ab", ""},         {"", "ab"},         {"a\\", "b"},  {"a\n", "b"},
      {"a", "\nb"},       {"a\\n", "b"},      {"a\\tb", ""}, {"\\", "\\"}};
  std::set<std::string> seen;
  for (const auto& row : alike) seen.insert(digest_of(shape(2), std::vector<Row>{row}).total().text());
  EXPECT_EQ(seen.size(), alike.size());
}

TEST_P(RowDigestTest, ValuesThatMoveBetweenRowsShow) {
  EXPECT_NE(digest_of(shape(2), std::vector<Row>{{"1", "a"}, {"2", "b"}}),
            digest_of(shape(2), std::vector<Row>{{"1", "b"}, {"2", "a"}}));
}

TEST_P(RowDigestTest, DuplicatedAndLostRowsShow) {
  const std::vector<Row> rows = {{"1"}, {"2"}};
  EXPECT_NE(digest_of(shape(1), rows), digest_of(shape(1), std::vector<Row>{{"1"}, {"2"}, {"2"}}));
  EXPECT_NE(digest_of(shape(1), rows), digest_of(shape(1), std::vector<Row>{{"1"}}));
  EXPECT_NE(digest_of(shape(1), std::vector<Row>{{"1"}, {"1"}}),
            digest_of(shape(1), std::vector<Row>{{"2"}, {"2"}}));
}

TEST_P(RowDigestTest, EmptyTablesAndTablesWithoutColumns) {
  EXPECT_EQ(digest_of(shape(3), std::vector<Row>{}), BucketDigest(1));
  EXPECT_EQ(digest_of(shape(0), std::vector<Row>{}), BucketDigest(1));
  const auto digest = digest_of(shape(0), std::vector<Row>{{}, {}, {}});
  EXPECT_EQ(digest.total().rows, 3U);
  EXPECT_EQ(digest_in_pieces(shape(0), stream_of(GetParam(), {{}, {}, {}}), [] { return 1; }), digest);
}

TEST_P(RowDigestTest, AnotherKeyGivesOtherHashes) {
  const auto stream = stream_of(GetParam(), {{"a"}});
  RowDigest other(DigestKey::random(), shape(1));
  other.write(std::as_bytes(std::span(stream)));
  other.finish();
  EXPECT_NE(other.digest(), digest_of(shape(1), stream));
}

// ------------------------------------------------------------------------------------------------ NaN

// Floats as they are sent. The first of each is what the server reads 'NaN' as.
const std::vector<std::string> kNaNs8 = {{"\x7f\xf8\0\0\0\0\0\0", 8},
                                         {"\xff\xf8\0\0\0\0\0\0", 8},
                                         {"\x7f\xf0\0\0\0\0\0\1", 8},
                                         {"\xff\xff\xff\xff\xff\xff\xff\xff", 8},
                                         {"\x7f\xf8\0\0\0\0\0\1", 8}};
const std::vector<std::string> kNaNs4 = {
    {"\x7f\xc0\0\0", 4}, {"\xff\xc0\0\0", 4}, {"\x7f\x80\0\1", 4}, {"\xff\xff\xff\xff", 4}};

TEST(RowDigestNaN, AllOfAFloatColumnAreOneInOneStreamAndInPieces) {
  for (const auto& nans : {kNaNs4, kNaNs8})
    for (const bool is_key : {false, true}) {
      const RowShape wanted{
          CopyFormat::binary, 3, is_key ? std::vector<uint32_t>{1, 2} : std::vector<uint32_t>{}, 16, {1}};
      const auto rows = [](const std::string& nan) {
        return stream_of(CopyFormat::binary,
                         {{"a", nan, "b"}, {"c", std::nullopt, ""}, {"d", nan, std::nullopt}});
      };
      const auto first = digest_of(wanted, rows(nans.front()));
      for (const auto& nan : nans) {
        EXPECT_EQ(digest_of(wanted, rows(nan)), first);
        for (const size_t size : {1U, 2U, 7U, 30U})
          EXPECT_EQ(digest_in_pieces(wanted, rows(nan), [&] { return size; }), first) << size;
      }
    }
}

// What a copy has recorded, and what verify has recorded before, is comparable with what it digests now.
TEST(RowDigestNaN, TheOneThatTheServerReadsNaNAsIsDigestedAsItIs) {
  for (const auto& nans : {kNaNs4, kNaNs8}) {
    const std::vector<Row> rows = {{"a", nans.front()}};
    EXPECT_EQ(digest_of({CopyFormat::binary, 2, {}, 1, {1}}, rows),
              digest_of({CopyFormat::binary, 2, {}, 1}, rows));
  }
}

TEST(RowDigestNaN, EverythingElseDiffersAsBefore) {
  const RowShape wanted{CopyFormat::binary, 1, {}, 1, {0}};
  const std::vector<std::string> values = {kNaNs8.front(),
                                           {"\x7f\xf0\0\0\0\0\0\0", 8},  // infinity
                                           {"\xff\xf0\0\0\0\0\0\0", 8},
                                           {"\0\0\0\0\0\0\0\0", 8},
                                           {"\x80\0\0\0\0\0\0\0", 8},  // -0
                                           {"\x7f\xef\xff\xff\xff\xff\xff\xff", 8},
                                           kNaNs4.front(),
                                           {"\x7f\x80\0\0", 4},
                                           {"\0\0\0\0", 4},
                                           {"\x80\0\0\0", 4},
                                           std::string(9, '\xff'),  // no float
                                           std::string(100, '\xff'),
                                           ""};
  std::set<std::string> seen;
  for (const auto& value : values) {
    const auto whole = digest_of(wanted, std::vector<Row>{{value}});
    EXPECT_EQ(digest_in_pieces(wanted, stream_of(CopyFormat::binary, {{value}}), [] { return 1; }), whole);
    EXPECT_EQ(digest_of({CopyFormat::binary, 1, {}, 1}, std::vector<Row>{{value}}), whole);
    seen.insert(whole.total().text());
  }
  EXPECT_EQ(seen.size(), values.size());
}

TEST(RowDigestNaN, InOtherColumnsItIsAnyValue) {
  const RowShape wanted{CopyFormat::binary, 2, {}, 1, {0}};
  EXPECT_NE(digest_of(wanted, std::vector<Row>{{kNaNs8[0], kNaNs8[0]}}),
            digest_of(wanted, std::vector<Row>{{kNaNs8[0], kNaNs8[1]}}));
}

// ------------------------------------------------------------------------------------ damaged streams

constexpr auto kCorrupt = ErrorKind::corrupt;
const RowShape kTwoBinary{CopyFormat::binary, 2, {}, 1};
const RowShape kTwoText{CopyFormat::text, 2, {}, 1};

TEST(RowDigestDamage, EveryTruncationOfABinaryStreamIsCorrupt) {
  const auto stream = stream_of(CopyFormat::binary, {{"a", std::nullopt}, {"bb", "\xff\xff"}});
  for (size_t length = 0; length < stream.size(); ++length) {
    EXPECT_THAT([&] { digest_of(kTwoBinary, stream.substr(0, length)); }, throws(kCorrupt)) << length;
    EXPECT_THAT([&] { digest_in_pieces(kTwoBinary, stream.substr(0, length), [] { return 1; }); },
                throws(kCorrupt))
        << length;
  }
}

TEST(RowDigestDamage, BytesAfterTheTrailerAreCorrupt) {
  const auto stream = stream_of(CopyFormat::binary, {{"a", "b"}});
  EXPECT_THAT([&] { digest_of(kTwoBinary, stream + '\0'); }, throws(kCorrupt));
  EXPECT_THAT([&] { digest_of(kTwoBinary, stream + stream); }, throws(kCorrupt));
}

TEST(RowDigestDamage, AnotherNumberOfColumnsIsCorrupt) {
  for (const auto& row : {Row{}, Row{"a"}, Row{"a", "b", "c"}})
    EXPECT_THAT([&] { digest_of(kTwoBinary, std::vector<Row>{{"x", "y"}, row}); }, throws(kCorrupt));
}

TEST(RowDigestDamage, ImpossibleLengthsAreCorrupt) {
  for (const int32_t length : {-2, -100, std::numeric_limits<int32_t>::min()}) {
    auto stream = binary_header();
    put_big_endian<int16_t>(stream, 2);
    put_big_endian<int32_t>(stream, length);
    EXPECT_THAT([&] { digest_of(kTwoBinary, stream + std::string(300, 'x')); }, throws(kCorrupt)) << length;
  }
  auto stream = binary_header();
  put_big_endian<int16_t>(stream, 2);
  put_big_endian<int32_t>(stream, std::numeric_limits<int32_t>::max());
  EXPECT_THAT([&] { digest_of(kTwoBinary, stream + "short" + binary_trailer()); }, throws(kCorrupt));
}

TEST(RowDigestDamage, AnotherSignatureIsCorrupt) {
  auto stream = stream_of(CopyFormat::binary, {{"a", "b"}});
  for (size_t at = 0; at < 11; ++at) {
    auto damaged = stream;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_THAT([&] { digest_of(kTwoBinary, damaged); }, throws(kCorrupt)) << at;
  }
  EXPECT_THAT([&] { digest_of(kTwoBinary, stream_of(CopyFormat::text, {{"a", "b"}})); }, throws(kCorrupt));
}

TEST(RowDigestDamage, AHeaderExtensionIsSkipped) {
  const auto rest = binary_row({"a", "b"}) + binary_trailer();
  const auto plain = digest_of(kTwoBinary, binary_header() + rest);
  const auto extended = binary_header("some extension of a later version") + rest;
  EXPECT_EQ(digest_of(kTwoBinary, extended), plain);
  EXPECT_EQ(digest_in_pieces(kTwoBinary, extended, [] { return 1; }), plain);
}

TEST(RowDigestDamage, ATextStreamThatEndsInsideALineIsCorrupt) {
  EXPECT_THAT([] { digest_of(kTwoText, "a\tb\nc\td"); }, throws(kCorrupt));
  EXPECT_THAT([] { digest_in_pieces(kTwoText, "a\tb", [] { return 1; }); }, throws(kCorrupt));
  EXPECT_NO_THROW(digest_of(kTwoText, ""));
}

}  // namespace
}  // namespace pg
