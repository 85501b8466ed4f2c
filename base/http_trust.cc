#include "base/http_trust.h"

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

CURLcode use_store(CURL*, void* context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

}  // namespace

HttpTrust::~HttpTrust() { X509_STORE_free(static_cast<X509_STORE*>(store_)); }

void HttpTrust::apply(CURL* easy) {
  std::call_once(once_, [this] { store_ = read_store(bundle_); });
  const bool is_shared = store_ != nullptr &&
                         curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &use_store) == CURLE_OK &&
                         curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, store_) == CURLE_OK;
  if (is_shared) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  } else if (!bundle_.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, bundle_.c_str());
  }
}

}  // namespace base
