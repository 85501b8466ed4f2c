#include "base/crc32c.h"

#include <string_view>

#include <gtest/gtest.h>

#include "base/sink.h"

namespace base {
namespace {

TEST(Crc32c, IsTheStandardOne) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
  // RFC 3720, B.4: 32 bytes of zeros, 32 bytes of ones.
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xff'))), 0x62A8AB43U);
}

TEST(Crc32c, ContinuesAtAnySplit) {
  const std::string_view text = "the quick brown fox jumps over the lazy dog";
  for (size_t at = 0; at <= text.size(); ++at)
    EXPECT_EQ(crc32c(bytes_of(text.substr(at)), crc32c(bytes_of(text.substr(0, at)))),
              crc32c(bytes_of(text)));
}

}  // namespace
}  // namespace base
