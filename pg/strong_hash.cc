#include "pg/strong_hash.h"

#include <array>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/error.h"

namespace pg {
namespace {

void check(int result) {
  if (result != 1) base::fail(base::ErrorKind::permanent, "OpenSSL cannot compute HMAC-SHA-256");
}

const unsigned char* data_of(base::Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT
}

}  // namespace

void StrongHash::Deleter::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

StrongHash::StrongHash(base::Bytes key) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                              &EVP_MAC_free);
  if (mac) context_.reset(EVP_MAC_CTX_new(mac.get()));
  check(context_ ? 1 : 0);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  check(EVP_MAC_init(context_.get(), data_of(key), key.size(), parameters));
}

void StrongHash::add(base::Bytes bytes) {
  check(EVP_MAC_update(context_.get(), data_of(bytes), bytes.size()));
}

base::uint128 StrongHash::take() {
  std::array<unsigned char, 32> out{};
  size_t size = 0;
  check(EVP_MAC_final(context_.get(), out.data(), &size, out.size()));
  check(EVP_MAC_init(context_.get(), nullptr, 0, nullptr));  // the same key again
  base::uint128 value = 0;
  std::memcpy(&value, out.data(), sizeof value);
  return value;
}

}  // namespace pg
