#pragma once

#include <filesystem>
#include <mutex>
#include <utility>

#include <curl/curl.h>

namespace base {

/// The authorities that the connections of an HttpShare trust, read once: libcurl by itself reads them for
/// every connection, which takes 20 ms and 1 MB for the 140 or so of a system. With them goes the order of
/// ciphers. Thread-safe.
class HttpTrust {
 public:
  /// `bundle` is a PEM file; empty: the system's, as libcurl knows them. Nothing is read yet.
  explicit HttpTrust(std::filesystem::path bundle) : bundle_(std::move(bundle)) {}
  HttpTrust(const HttpTrust&) = delete;
  HttpTrust& operator=(const HttpTrust&) = delete;
  ~HttpTrust();

  /// For the connections that the handle makes. What cannot be read is left to libcurl, which says so.
  void apply(CURL* easy);

 private:
  const std::filesystem::path bundle_;
  std::once_flag once_;
  void* store_ = nullptr;  // X509_STORE
};

}  // namespace base
