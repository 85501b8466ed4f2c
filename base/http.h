#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sink.h"
#include "base/stop.h"

namespace base {

/// Header fields in their order, duplicates kept. Names compare without regard to case.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every field of that name.
  void set(std::string name, std::string value);
  void erase(std::string_view name);
  /// The first field's value, null if there is none.
  const std::string* find(std::string_view name) const;
  /// As find(), empty if there is none.
  std::string_view get(std::string_view name) const;
  void clear() { fields_.clear(); }
  size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

/// False for what would not be one field: without a name, or with a line break or a zero byte in it.
bool is_header_field(std::string_view name, std::string_view value);

/// A source of known length that can be read again from its start: a request may have to be sent once more
/// when a kept connection turns out to be closed.
class RewindableSource : public ByteSource {
 public:
  virtual uint64_t size() const = 0;
  virtual void rewind() = 0;
};

struct HttpRequest {
  std::string method = "GET";
  /// http or https, sent exactly as it stands here: everything is percent-encoded already, dot segments stay.
  std::string url;
  /// Host, Content-Length and User-Agent need not be given. Content-Type is never added.
  HttpHeaders headers = {};
  Bytes body = {};                     ///< borrowed until send() returns
  RewindableSource* source = nullptr;  ///< instead of `body`; exactly size() bytes are read
  /// Gets the body of a 2xx response; every other response's body is kept in HttpResponse::body. finish() is
  /// the caller's to call. What it throws ends the transfer and leaves send().
  ByteSink* sink = nullptr;
  uint64_t body_limit = uint64_t{16} << 20;  ///< of HttpResponse::body; a longer one is an Error{permanent}
  /// Ask with "Expect: 100-continue" before the body is sent: one round trip more, but a refusal costs no
  /// upload.
  bool expect_continue = false;
  bool fresh_connection = false;  ///< no kept connection: for a retry after a transport error
  bool ignore_proxy = false;      ///< for link-local addresses such as instance metadata
  /// The server may work for minutes, silently or with a blank now and then: neither stall_timeout nor
  /// kSlowestAnswer counts, only `timeout`, and the kernel's own notion of a connection that is dead.
  bool may_dawdle = false;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{0};  ///< of the whole exchange; 0: none
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers = {};
  std::string body = {};
};

struct HttpSettings {
  /// PEM file of the trusted authorities; empty: the system's.
  std::filesystem::path ca_bundle = {};
  std::string user_agent = "cutover";
  /// Nothing sent or received for this long; or of an answer that has begun, less than kSlowestAnswer bytes a
  /// second: a server that drips its answer must not hold a thread for as long as it likes. What is sent has
  /// no such floor: many transfers may share a narrow line.
  std::chrono::seconds stall_timeout{60};
  static constexpr uint64_t kSlowestAnswer = 1000;

  /// AWS_CA_BUNDLE, else CURL_CA_BUNDLE, else SSL_CERT_FILE. Throws Error{usage} when the file that one of
  /// them names cannot be read. (http_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY are libcurl's to read.)
  static HttpSettings from_environment();
};

/// What the clients of one run have in common: settings, and the caches of names and TLS sessions.
/// Thread-safe. Connections are not shared: a connection belongs to one client and so to one thread.
class HttpShare {
 public:
  explicit HttpShare(HttpSettings settings = HttpSettings::from_environment());
  HttpShare(const HttpShare&) = delete;
  HttpShare& operator=(const HttpShare&) = delete;
  ~HttpShare();
  const HttpSettings& settings() const { return settings_; }

 private:
  friend class HttpClient;
  struct Caches;
  HttpSettings settings_;
  std::unique_ptr<Caches> caches_;
};

/// HTTP/1.1 over kept connections, one request at a time; for one thread at a time. Redirects are not
/// followed, statuses are not judged and nothing is retried: callers know what a request means.
class HttpClient {
 public:
  explicit HttpClient(std::shared_ptr<HttpShare> share);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Returns whatever the server answered. Throws, naming the host but no more of the URL:
  ///   Error{transient}  no connection, timeout, reset, answer cut short, names not to be resolved now
  ///   Error{permanent}  no such host, certificate not trusted, no TLS at the other end, answer over
  ///   body_limit Error{usage}      malformed URL, header with a line break, unusable CA bundle
  ///   Error{cancelled}  stop
  /// and whatever `source` and `sink` throw.
  HttpResponse send(const HttpRequest& request, const Stop& stop);

 private:
  struct Handles;
  std::shared_ptr<HttpShare> share_;
  std::unique_ptr<Handles> handles_;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT", as in Date and Last-Modified; nullopt for what is no date.
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

/// host[:port] of a URL without credentials, path and query: what may be shown of it.
std::string http_host(std::string_view url);

}  // namespace base
