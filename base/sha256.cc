#include "base/sha256.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/error.h"

namespace base {
namespace {

void check(bool done) {
  if (!done) fail(ErrorKind::permanent, "libcrypto cannot compute SHA-256");
}

const unsigned char* data_of(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT
}

}  // namespace

Sha256 sha256(Bytes bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Sha256 out{};
  unsigned size = 0;
  check(algorithm != nullptr &&
        EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, algorithm, nullptr) == 1);
  return out;
}

HmacSha256::HmacSha256(Bytes key) {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (algorithm != nullptr) context_.reset(EVP_MAC_CTX_new(algorithm));
  check(context_ != nullptr);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  check(EVP_MAC_init(context_.get(), data_of(key), key.size(), parameters) == 1);
}

HmacSha256::HmacSha256(const HmacSha256& other) : context_(EVP_MAC_CTX_dup(other.context_.get())) {
  check(context_ != nullptr);
}

void HmacSha256::Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

void HmacSha256::add(Bytes bytes) {
  check(EVP_MAC_update(context_.get(), data_of(bytes), bytes.size()) == 1);
}

Sha256 HmacSha256::take() {
  Sha256 out{};
  size_t size = 0;
  check(EVP_MAC_final(context_.get(), out.data(), &size, out.size()) == 1);
  check(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);  // the same key again
  return out;
}

}  // namespace base
