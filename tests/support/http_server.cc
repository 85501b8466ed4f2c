#include "tests/support/http_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <list>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/guarded.h"
#include "base/stop.h"
#include "tests/support/system_error.h"

namespace support {
namespace {

/// The other end is gone: the connection's thread ends.
struct Disconnected {};

struct TlsContext {
  explicit TlsContext(const Certificate& pair) : context(SSL_CTX_new(TLS_server_method())) {
    BIO* text = BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size()));
    X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    text = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    const bool usable =
        SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!usable) throw std::runtime_error("the server's certificate is unusable");
  }
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext() { SSL_CTX_free(context); }
  SSL_CTX* context;
};

/// One connection's bytes, plain or encrypted. Blocking; a stop makes every call throw Disconnected.
class Stream {
 public:
  Stream(int socket, const TlsContext* tls, const base::Stop& stop) : socket_(socket), stop_(stop) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls->context);
    SSL_set_fd(ssl_, socket_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    SSL_free(ssl_);
    close(socket_);
  }

  void handshake() {
    if (ssl_ == nullptr) return;
    wait();
    if (SSL_accept(ssl_) != 1) {
      ERR_clear_error();
      throw Disconnected();
    }
  }

  size_t read(char* to, size_t size) {
    if (ssl_ == nullptr || SSL_pending(ssl_) == 0) wait();
    const auto got =
        ssl_ != nullptr ? SSL_read(ssl_, to, static_cast<int>(size)) : recv(socket_, to, size, 0);
    if (got <= 0) {
      ERR_clear_error();
      throw Disconnected();
    }
    return static_cast<size_t>(got);
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                        : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        ERR_clear_error();
        throw Disconnected();
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  void reset_on_close() {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  /// Until the client or the server goes.
  void hang() {
    std::array<char, 4096> ignored;
    for (;;) read(ignored.data(), ignored.size());
  }

 private:
  void wait() {
    std::array<pollfd, 2> ready{{{socket_, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
    while (poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
    }
    if (stop_.requested()) throw Disconnected();
  }

  int socket_;
  const base::Stop& stop_;
  SSL* ssl_ = nullptr;
};

/// Reads requests off a stream.
class Reader {
 public:
  explicit Reader(Stream& stream) : stream_(stream) {}

  std::string line() {
    for (;;) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        auto text = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return text;
      }
      more();
    }
  }

  HttpServerRequest head() {
    HttpServerRequest request;
    if (buffer_.empty()) more();
    if (buffer_.front() == 0x16) {  // a TLS handshake: real servers answer it like this
      stream_.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      throw Disconnected();
    }
    const auto first = line();
    const auto method = first.find(' ');
    const auto target = first.rfind(' ');
    if (method == std::string::npos || target <= method) throw Disconnected();
    request.method = first.substr(0, method);
    request.target = first.substr(method + 1, target - method - 1);
    for (auto text = line(); !text.empty(); text = line()) {
      const auto colon = text.find(':');
      if (colon == std::string::npos) throw Disconnected();
      const auto value = std::min(text.find_first_not_of(' ', colon + 1), text.size());
      request.headers.add(text.substr(0, colon), text.substr(value));
    }
    return request;
  }

  std::string body(size_t size) {
    std::string text = std::move(buffer_);
    buffer_.clear();
    if (text.size() > size) {
      buffer_ = text.substr(size);
      text.resize(size);
    }
    auto filled = text.size();
    text.resize(size);
    while (filled < size) filled += stream_.read(text.data() + filled, size - filled);
    return text;
  }

 private:
  void more() {
    std::array<char, 16384> piece;
    buffer_.append(piece.data(), stream_.read(piece.data(), piece.size()));
  }

  Stream& stream_;
  std::string buffer_;
};

std::string head_text(const HttpServerResponse& response) {
  auto text = fmt::format("HTTP/1.1 {} Answer\r\n", response.status);
  for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
  const bool has_length =
      response.headers.find("Content-Length") || response.headers.find("Transfer-Encoding");
  if (!has_length && response.status != 204 && response.status != 304)
    text += fmt::format("Content-Length: {}\r\n", response.body.size());
  return text + "\r\n";
}

size_t length_of(const HttpServerRequest& request) {
  const std::string length(request.headers.get("Content-Length"));
  return length.empty() ? 0 : std::stoull(length);
}

/// Returns whether the connection may be kept.
bool answer(Stream& stream, const HttpServerResponse& response, bool body_wanted) {
  const bool faulty = response.fault != HttpFault::none && response.fault != HttpFault::close;
  if (response.fault == HttpFault::reset) stream.reset_on_close();
  if (response.fault == HttpFault::hang && response.fault_after == 0) stream.hang();
  if (response.fault == HttpFault::reset && response.fault_after == 0) return false;
  std::string_view body = body_wanted ? std::string_view(response.body) : std::string_view();
  if (faulty) body = body.substr(0, response.fault_after);
  auto text = head_text(response);
  const auto at_once = response.dripped_of_body ? text.size() : 0;
  text.append(body);
  if (response.drip.count() > 0) {
    const auto until = std::min(text.size(), at_once + response.dripped_of_body.value_or(text.size()));
    stream.write(std::string_view(text).substr(0, at_once));
    for (auto at = at_once; at < until; ++at) {
      stream.write(std::string_view(text).substr(at, 1));
      std::this_thread::sleep_for(response.drip);
    }
    stream.write(std::string_view(text).substr(until));
  } else {
    stream.write(text);
  }
  if (response.fault == HttpFault::hang) stream.hang();
  return response.fault == HttpFault::none;
}

}  // namespace

struct HttpServer::State {
  Handler handler;
  HttpServerOptions options;
  std::unique_ptr<TlsContext> tls;
  base::Stop stop;
  int listening = -1;
  int port = 0;

  struct Seen {
    std::vector<HttpServerRequest> requests;
    size_t count = 0;
    int connections = 0;
    int open = 0;  // of those
  };
  base::Guarded<Seen> seen;
  std::list<std::jthread> connections;  // the accepting thread's own
  std::jthread accepting;

  void serve(int socket, int number) {
    // libssl writes to sockets whose other end may be gone.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    try {
      Stream stream(socket, tls.get(), stop);
      stream.handshake();
      Reader reader(stream);
      while (exchange(stream, reader, number)) {
      }
    } catch (const Disconnected&) {  // NOLINT(bugprone-empty-catch): how every connection ends
    }
    --seen.lock()->open;
    seen.notify_all();
  }

  bool exchange(Stream& stream, Reader& reader, int number) {
    auto request = reader.head();
    request.connection = number;
    if (options.on_head) {
      if (const auto early = options.on_head(request)) {
        reader.body(std::min(early->after_request_bytes, length_of(request)));
        answer(stream, *early, request.method != "HEAD");
        return false;
      }
    }
    if (request.headers.get("Expect") == "100-continue") stream.write("HTTP/1.1 100 Continue\r\n\r\n");
    request.body = reader.body(length_of(request));
    remember(request);
    HttpServerResponse response;
    try {
      response = handler(request);
    } catch (const std::exception& error) {
      response = {.status = 599, .body = error.what()};
    }
    const bool kept = answer(stream, response, request.method != "HEAD");
    return kept && response.headers.get("Connection") != "close" &&
           !request.headers.find("Transfer-Encoding");
  }

  void remember(const HttpServerRequest& request) {
    auto access = seen.lock();
    ++access->count;
    if (options.record) access->requests.push_back(request);
    seen.notify_all();
  }

  void accept_all() {
    for (int number = 1;; ++number) {
      std::array<pollfd, 2> ready{{{listening, POLLIN, 0}, {stop.descriptor(), POLLIN, 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
      if (stop.requested()) return;
      const int socket = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      {
        auto access = seen.lock();
        access->connections = number;
        ++access->open;
      }
      connections.emplace_back([this, socket, number] { serve(socket, number); });
    }
  }
};

HttpServer::HttpServer(Handler handler, HttpServerOptions options) : state_(std::make_shared<State>()) {
  state_->handler = std::move(handler);
  state_->options = std::move(options);
  if (state_->options.certificate) state_->tls = std::make_unique<TlsContext>(*state_->options.certificate);
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listening < 0) fail("socket");
  state_->listening = listening;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listening, generic, size) != 0) fail("bind");
  if (listen(listening, 512) != 0) fail("listen");
  if (getsockname(listening, generic, &size) != 0) fail("getsockname");
  state_->port = ntohs(address.sin_port);
  state_->accepting = std::jthread([state = state_.get()] { state->accept_all(); });
}

HttpServer::~HttpServer() {
  state_->stop.request();
  state_->accepting.join();
  state_->connections.clear();  // joins
  close(state_->listening);
}

int HttpServer::port() const { return state_->port; }

std::string HttpServer::url() const {
  return fmt::format("{}:{}", state_->tls ? "https://localhost" : "http://127.0.0.1", port());
}

std::vector<HttpServerRequest> HttpServer::requests() const { return state_->seen.lock()->requests; }

int HttpServer::connections() const { return state_->seen.lock()->connections; }

void HttpServer::wait_until_idle() const {
  auto access = state_->seen.lock();
  if (!access.wait_for(std::chrono::seconds(30), [&] { return access->open == 0; }))
    throw std::runtime_error(fmt::format("{} clients stay connected", access->open));
}

void HttpServer::wait_for_requests(size_t count) const {
  auto access = state_->seen.lock();
  if (!access.wait_for(std::chrono::seconds(30), [&] { return access->count >= count; }))
    throw std::runtime_error(fmt::format("{} requests came instead of {}", access->count, count));
}

}  // namespace support
