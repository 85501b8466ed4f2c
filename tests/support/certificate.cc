#include "tests/support/certificate.h"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace support {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

template <typename Pointer>
Pointer checked(Pointer pointer) {
  if (!pointer) throw std::runtime_error("libcrypto cannot make a certificate");
  return pointer;
}

void add_extension(X509* certificate, int id, const std::string& value) {
  const auto extension = checked(
      Owned<X509_EXTENSION, &X509_EXTENSION_free>(X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str())));
  X509_add_ext(certificate, extension.get(), -1);
}

template <typename Write>
std::string pem(Write write) {
  const auto memory = checked(Owned<BIO, &BIO_free_all>(BIO_new(BIO_s_mem())));
  write(memory.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(size)};
}

}  // namespace

Certificate make_certificate(const std::string& host) {
  const auto key = checked(Owned<EVP_PKEY, &EVP_PKEY_free>(EVP_EC_gen("P-256")));
  const auto certificate = checked(Owned<X509, &X509_free>(X509_new()));
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()),
                             -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name,
                "DNS:" + host + (host == "localhost" ? ",IP:127.0.0.1" : ""));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) checked<X509*>(nullptr);
  return {pem([&](BIO* to) { PEM_write_bio_X509(to, certificate.get()); }), pem([&](BIO* to) {
            PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace support
