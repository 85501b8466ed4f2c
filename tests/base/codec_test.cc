#include "base/codec.h"

#include <limits>

#include <gtest/gtest.h>

#include "base/sink.h"
#include "tests/base/matchers.h"

namespace base {
namespace {

using test::throws;

TEST(Codec, ReturnsWhatWasEncoded) {
  const uint128 wide = uint128{0x0123456789abcdef} << 64 | 0xfedcba9876543210;
  Encoder encoder;
  encoder.number(7).wide(wide).text("naïve").text("").number(std::numeric_limits<uint64_t>::max());
  Decoder decoder(encoder.bytes());
  EXPECT_EQ(decoder.number(), 7U);
  EXPECT_TRUE(decoder.wide() == wide);
  EXPECT_EQ(decoder.text(), "naïve");
  EXPECT_EQ(decoder.text(), "");
  EXPECT_FALSE(decoder.at_end());
  EXPECT_EQ(decoder.number(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(decoder.at_end());
}

TEST(Codec, NumbersAroundEveryPowerOfTwo) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t value : {power - 1, power, power + 1}) {
      Encoder encoder;
      encoder.number(value);
      Decoder decoder(encoder.bytes());
      EXPECT_EQ(decoder.number(), value);
      EXPECT_TRUE(decoder.at_end());
    }
  }
}

TEST(Codec, BytesAreThoseOfTheFormat) {
  EXPECT_EQ(Encoder().number(0).str(), std::string(1, '\0'));
  EXPECT_EQ(Encoder().number(127).str(), "\x7f");
  EXPECT_EQ(Encoder().number(300).str(), "\xac\x02");
  EXPECT_EQ(Encoder().text("ab").str(),
            "\x02"
            "ab");
  EXPECT_EQ(Encoder().wide(uint128{0x0201}).str(), std::string("\x01\x02", 2) + std::string(14, '\0'));
}

TEST(Codec, EveryTruncationIsCorrupt) {
  const auto encoded = Encoder().number(300).text("hello").wide(1).str();
  for (size_t length = 0; length < encoded.size(); ++length) {
    Decoder decoder(bytes_of(encoded).first(length));
    EXPECT_THAT(
        [&] {
          decoder.number();
          decoder.text();
          decoder.wide();
        },
        throws(ErrorKind::corrupt))
        << length;
  }
}

TEST(Codec, TextLengthBeyondTheEndIsCorrupt) {
  const auto encoded = Encoder().number(std::numeric_limits<uint64_t>::max()).str() + "abc";
  Decoder decoder(bytes_of(encoded));
  EXPECT_THAT([&] { decoder.text(); }, throws(ErrorKind::corrupt));
}

TEST(Codec, VarintsOfMoreThan64BitsOrNotShortestAreCorrupt) {
  const std::string nine(9, '\xff');
  for (const std::string& text : {nine + "\x02", nine + "\x7f", nine + "\xff\x01", std::string("\x80\x00", 2),
                                  std::string("\xff\x80\x00", 3)}) {
    Decoder decoder(bytes_of(text));
    EXPECT_THAT([&] { decoder.number(); }, throws(ErrorKind::corrupt));
  }
  const std::string largest = nine + "\x01";
  Decoder decoder(bytes_of(largest));
  EXPECT_EQ(decoder.number(), std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace base
