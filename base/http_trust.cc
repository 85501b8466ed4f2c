#include "base/http_trust.h"

#include <string>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace base {
namespace {

X509_STORE* read_store(const std::filesystem::path& bundle) {
  const auto* defaults = curl_version_info(CURLVERSION_NOW);
  // With another TLS library the callback would be given something else.
  if (defaults->ssl_version == nullptr || !std::string_view(defaults->ssl_version).starts_with("OpenSSL"))
    return nullptr;
  const char* file = bundle.empty() ? defaults->cainfo : bundle.c_str();
  if (file == nullptr && defaults->capath == nullptr) return nullptr;
  auto* store = X509_STORE_new();
  if (store != nullptr && X509_STORE_load_locations(store, file, defaults->capath) == 1) {
    // As libcurl has it in the store that this one takes the place of: a bundle may hold an intermediate
    // authority alone.
    X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    return store;
  }
  ERR_clear_error();
  X509_STORE_free(store);
  return nullptr;
}

/// Of what TLS 1.3 may use here, AES with 128 bits first, as browsers have it: libcrypto's own order begins
/// with 256, which take a third longer.
void prefer_aes128(SSL_CTX* context) {
  constexpr std::string_view kFirst = "TLS_AES_128_GCM_SHA256";
  const auto* enabled = SSL_CTX_get_ciphers(context);
  std::string others;
  bool is_there = false;
  for (int i = 0; i < sk_SSL_CIPHER_num(enabled); ++i) {
    const auto* cipher = sk_SSL_CIPHER_value(enabled, i);
    if (std::string_view(SSL_CIPHER_get_version(cipher)) != "TLSv1.3") continue;
    const std::string_view name = SSL_CIPHER_get_name(cipher);
    is_there = is_there || name == kFirst;
    if (name != kFirst) (others += ':') += name;
  }
  if (is_there) SSL_CTX_set_ciphersuites(context, (std::string(kFirst) + others).c_str());
}

CURLcode set_up(CURL*, void* context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
  prefer_aes128(static_cast<SSL_CTX*>(context));
  return CURLE_OK;
}

}  // namespace

HttpTrust::~HttpTrust() { X509_STORE_free(static_cast<X509_STORE*>(store_)); }

void HttpTrust::apply(CURL* easy) {
  std::call_once(once_, [this] { store_ = read_store(bundle_); });
  const bool is_shared = store_ != nullptr &&
                         curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &set_up) == CURLE_OK &&
                         curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, store_) == CURLE_OK;
  if (is_shared) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  } else if (!bundle_.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, bundle_.c_str());
  }
}

}  // namespace base
