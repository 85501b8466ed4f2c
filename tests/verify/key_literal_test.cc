#include "verify/key_literal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verify {
namespace {

using pg::CopyFormat;
using ::testing::ElementsAre;
using ::testing::Optional;
using namespace std::string_literals;  // for bytes with zeros

TEST(KeyLiterals, BinaryNumbersTextAndUuids) {
  EXPECT_THAT(key_literals(CopyFormat::binary, {"integer"}, "\0\0\0\4\xff\xff\xff\xfe"s),
              Optional(ElementsAre("'-2'")));
  EXPECT_THAT(key_literals(CopyFormat::binary, {"bigint"}, "\0\0\0\10\200\0\0\0\0\0\0\0"s),
              Optional(ElementsAre("'-9223372036854775808'")));
  EXPECT_THAT(key_literals(CopyFormat::binary, {"text", "smallint"}, "\0\0\0\3it'\0\0\0\2\1\0\0\0\0"s),
              Optional(ElementsAre("'it'''", "'256'")));
  EXPECT_THAT(key_literals(CopyFormat::binary, {"uuid"}, "\0\0\0\20abcdefghijklmnop"s),
              Optional(ElementsAre("'6162636465666768696a6b6c6d6e6f70'")));
}

TEST(KeyLiterals, TextIsUnescaped) {
  EXPECT_THAT(key_literals(CopyFormat::text, {"date", "text"}, "2024-01-01\ta\\tb\\\\\t\0\0"s),
              Optional(ElementsAre("'2024-01-01'", "E'a\tb\\\\'")));
}

TEST(KeyLiterals, WhatIsCutShortIsNone) {
  EXPECT_EQ(key_literals(CopyFormat::binary, {"text"}, "\0\0\0\12short"s), std::nullopt);
  EXPECT_EQ(key_literals(CopyFormat::binary, {"text", "text"}, "\0\0\0\1a\0\0"s), std::nullopt);
  EXPECT_EQ(key_literals(CopyFormat::text, {"text"}, "no end"), std::nullopt);
}

TEST(KeyLiterals, OfTypesThatCanBeWritten) {
  EXPECT_TRUE(
      has_key_literals(CopyFormat::binary, {"bigint", "character varying(20)", "public.citext", "uuid"}));
  EXPECT_FALSE(has_key_literals(CopyFormat::binary, {"bigint", "date"}));
  EXPECT_TRUE(has_key_literals(CopyFormat::text, {"date"}));
  EXPECT_FALSE(has_key_literals(CopyFormat::text, {}));
}

}  // namespace
}  // namespace verify
