#include "base/sha256.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace base {
namespace {

std::string hex(const Sha256& digest) {
  std::string out;
  for (const auto byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

// FIPS 180-2, appendix B, and its digest of nothing.
TEST(Sha256, IsTheStandardOne) {
  EXPECT_EQ(hex(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 4231, test cases 2 and 6: a short key, and one longer than a block.
TEST(HmacSha256, IsTheStandardOne) {
  HmacSha256 shorter(bytes_of("Jefe"));
  shorter.add(bytes_of("what do ya want for nothing?"));
  EXPECT_EQ(hex(shorter.take()), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  HmacSha256 longer(bytes_of(std::string(131, '\xaa')));
  longer.add(bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"));
  EXPECT_EQ(hex(longer.take()), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, BeginsAnewWithTheSameKey) {
  HmacSha256 mac(bytes_of("key"));
  mac.add(bytes_of("text"));
  const auto first = mac.take();
  mac.add(bytes_of("te"));
  HmacSha256 copy(mac);
  for (auto* one : {&mac, &copy}) {
    one->add(bytes_of("xt"));
    EXPECT_EQ(hex(one->take()), hex(first));
  }
  EXPECT_NE(hex(copy.take()), hex(first));
}

}  // namespace
}  // namespace base
