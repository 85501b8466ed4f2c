#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http.h"
#include "tests/support/certificate.h"

namespace support {

struct HttpServerRequest {
  std::string method;
  std::string target;  ///< the path and query, exactly as sent
  base::HttpHeaders headers;
  std::string body;
  int connection = 0;  ///< counted from 1

  std::string path() const { return target.substr(0, target.find('?')); }
  std::string query() const {
    const auto mark = target.find('?');
    return mark == std::string::npos ? std::string() : target.substr(mark + 1);
  }
};

/// How an answer goes wrong.
enum class HttpFault {
  none,
  close,  ///< the connection is closed after the whole answer, without a "Connection: close" in front
  cut,    ///< closed after `fault_after` bytes of the body
  reset,  ///< as cut, with a TCP reset; with fault_after 0 before anything of the answer
  hang,   ///< after `fault_after` bytes of the body nothing more is sent; with 0 nothing at all
};

struct HttpServerResponse {
  int status = 200;
  base::HttpHeaders headers = {};  ///< Content-Length is added unless it is here
  std::string body = {};
  HttpFault fault = HttpFault::none;
  size_t fault_after = 0;
  /// Of an answer given to the head: so many bytes of the request's body are read first.
  size_t after_request_bytes = 0;
  /// Sends the whole answer byte by byte with this pause between.
  std::chrono::milliseconds drip{0};
  /// With a drip: the head comes at once, and so does the body behind so many of its bytes.
  std::optional<size_t> dripped_of_body = {};
};

struct HttpServerOptions {
  /// Called before the body is read; an answer given here is sent at once, and the connection is closed with
  /// the body unread (or the rest of it). It may be called by several threads at once.
  std::function<std::optional<HttpServerResponse>(const HttpServerRequest& head)> on_head = {};
  /// Serves https.
  std::optional<Certificate> certificate = {};
  /// Keep what came for requests(). Turn it off where bodies are large.
  bool record = true;
};

/// A plain HTTP/1.1 server on 127.0.0.1 and a free port, with a thread per connection: what clients are
/// tested against where no real server would misbehave on demand. `handler` may be called by several threads
/// at once. An exception that leaves it is answered with status 599 and its text.
class HttpServer {
 public:
  using Handler = std::function<HttpServerResponse(const HttpServerRequest&)>;
  explicit HttpServer(Handler handler, HttpServerOptions options = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Cuts all connections.
  ~HttpServer();

  int port() const;
  /// "http://127.0.0.1:port" or "https://localhost:port"
  std::string url() const;
  /// Whole requests in the order in which their bodies ended.
  std::vector<HttpServerRequest> requests() const;
  int connections() const;
  /// Blocks until nobody is connected: what clients that are gone have sent has been dealt with. Throws after
  /// 30 s.
  void wait_until_idle() const;
  /// Blocks until so many requests have come whole; throws after 30 s.
  void wait_for_requests(size_t count) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace support
