#include "s3/checksum.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/sink.h"
#include "s3/crc.h"

namespace s3 {
namespace {

using ::testing::Eq;
using ::testing::Optional;

using base::bytes_of;

std::string sample_text(size_t size) {
  std::mt19937_64 random(size + 1);
  std::string out(size, '\0');
  for (auto& c : out) c = static_cast<char>(random());
  return out;
}

TEST(Crc, HasThePublishedCheckValues) {
  EXPECT_EQ(crc64nvme(bytes_of("123456789")), 0xAE8B14860A799888);
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xCBF43926);
  EXPECT_EQ(crc64nvme({}), 0U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc, FoldingAgreesWithTheTableAtEveryLength) {
  const auto text = sample_text(1100);
  for (size_t size = 0; size <= text.size(); ++size) {
    const auto piece = bytes_of(text).first(size);
    ASSERT_EQ(crc64nvme(piece), crc64nvme_by_table(piece)) << size;
    ASSERT_EQ(crc64nvme(piece, 0x0123456789ABCDEF), crc64nvme_by_table(piece, 0x0123456789ABCDEF)) << size;
  }
}

TEST(Crc, GoesOnWhereItStopped) {
  const auto text = sample_text(5000);
  for (const size_t cut : {0, 1, 63, 64, 4999, 5000}) {
    const auto left = bytes_of(text).first(cut);
    const auto right = bytes_of(text).subspan(cut);
    EXPECT_EQ(crc64nvme(right, crc64nvme(left)), crc64nvme(bytes_of(text)));
    EXPECT_EQ(crc32(right, crc32(left)), crc32(bytes_of(text)));
  }
}

TEST(Crc, IsCombinedFromThatOfTheParts) {
  const auto text = sample_text(5000);
  for (const size_t cut : {0, 1, 63, 2500, 4999, 5000}) {
    const auto left = bytes_of(text).first(cut);
    const auto right = bytes_of(text).subspan(cut);
    EXPECT_EQ(combined_crc64nvme(crc64nvme(left), crc64nvme(right), right.size()), crc64nvme(bytes_of(text)));
    EXPECT_EQ(combined_crc32(crc32(left), crc32(right), right.size()), crc32(bytes_of(text)));
    EXPECT_EQ(combined_crc32c(base::crc32c(left), base::crc32c(right), right.size()),
              base::crc32c(bytes_of(text)));
  }
}

TEST(Checksum, IsWrittenAsS3WritesIt) {
  const auto written = [](Integrity integrity) {
    return to_base64(checksum(integrity, bytes_of("123456789")));
  };
  EXPECT_EQ(written(Integrity::crc64nvme), "rosUhgp5mIg=");
  EXPECT_EQ(written(Integrity::crc32c), "4waSgw==");
  EXPECT_EQ(written(Integrity::crc32), "y/Q5Jg==");
  EXPECT_EQ(written(Integrity::md5), "JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(written(Integrity::sha256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
}

TEST(Checksum, IsTheSamePieceByPiece) {
  const auto text = sample_text(1000);
  for (const auto integrity :
       {Integrity::crc64nvme, Integrity::crc32c, Integrity::crc32, Integrity::md5, Integrity::sha256}) {
    Hasher hasher(integrity);
    hasher.update(bytes_of(text).first(333));
    hasher.update(bytes_of(text).subspan(333));
    EXPECT_EQ(hasher.finish(), checksum(integrity, bytes_of(text))) << to_string(integrity);
  }
}

TEST(Checksum, OfPartsIsThatOfTheWholeForEveryCrc) {
  const auto text = sample_text(1000);
  for (const auto integrity : {Integrity::crc64nvme, Integrity::crc32c, Integrity::crc32}) {
    std::vector<PartSum> parts;
    for (size_t at = 0; at < text.size(); at += 300) {
      const auto piece = bytes_of(text).subspan(at, std::min<size_t>(300, text.size() - at));
      parts.push_back({checksum(integrity, piece), piece.size()});
    }
    EXPECT_EQ(combined(integrity, parts), checksum(integrity, bytes_of(text)));
  }
}

TEST(Base64, AndHexComeBack) {
  for (const auto* text : {"a", "ab", "abc", "abcd"}) {
    EXPECT_THAT(from_base64(to_base64(text)), Optional(Eq(text)));
    EXPECT_THAT(from_hex(to_hex(text)), Optional(Eq(text)));
  }
  EXPECT_FALSE(from_base64("a"));
  EXPECT_FALSE(from_base64("!!!!"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(MultipartEtag, IsTheMd5OfTheMd5s) {
  // Two parts with the content "a" and "b".
  EXPECT_THAT(multipart_etag({"0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"}),
              Optional(Eq("96e024ba2074fe77e8e965ba43a704be-2")));
  EXPECT_FALSE(multipart_etag({"0cc175b9c0f1b6a831c399e269772661", "not an md5"}));
}

}  // namespace
}  // namespace s3
