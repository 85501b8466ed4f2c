#include "base/http.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>

#include <curl/curl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/http_trust.h"
#include "base/text.h"

// One transfer is a curl_multi with one easy handle in it: curl_multi_poll waits for the sockets and for the
// stop's descriptor at once, so a stop needs no polling and a stalled server cannot hold it up. Connections
// are kept by the multi handle, hence per client. libcurl calls back into C++ through C frames, which no
// exception may cross: a callback keeps its exception in the Transfer, tells libcurl to give up, and send()
// rethrows it.

namespace base {
namespace {

/// S3 closes idle connections after about five seconds; a request on one just about to be closed is lost.
constexpr long kMaxIdleSeconds = 4;
/// libcurl's buffers, which it allocates for every transfer: what is larger than a body costs more time than
/// a small body does, since the allocator takes such memory from the system and gives it back each time.
constexpr uint64_t kLeastUploadBuffer = uint64_t{16} << 10;
/// Every transfer that is under way has one, beside the memory that bodies may take.
constexpr uint64_t kMostUploadBuffer = uint64_t{128} << 10;
constexpr long kDownloadBuffer = 256L << 10;
constexpr long kAnswerBuffer = 16L << 10;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// libcurl wants this once, before threads use it.
void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) fail(ErrorKind::permanent, "cannot start libcurl: {}", curl_easy_strerror(result));
}

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }
  void append(const std::string& line) {
    auto* longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

/// The sockets of a client's connections, which libcurl opens and closes through it.
class Sockets {
 public:
  /// While corked a socket sends full packets only: head and body of a request leave together, where each of
  /// libcurl's writes would be a packet of its own, and wake whoever waits for it.
  void cork(bool on) const {
    const int value = on ? 1 : 0;
    for (const auto socket : open_) ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
  }

  /// A server that fills packets (Nagle's algorithm; Ceph's gateway does unless told not to) sends the body
  /// of an answer after its head was acknowledged, which this kernel would put off for 40 ms.
  void acknowledge() const {
    const int value = 1;
    for (const auto socket : open_) ::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &value, sizeof value);
  }

  void follow(CURL* easy);

 private:
  static int opened(void* self, curl_socket_t socket, curlsocktype) {
    static_cast<Sockets*>(self)->open_.push_back(socket);
    return CURL_SOCKOPT_OK;
  }
  static int closed(void* self, curl_socket_t socket) {
    std::erase(static_cast<Sockets*>(self)->open_, socket);
    return ::close(socket);
  }

  std::vector<curl_socket_t> open_;
};

/// For the time of its life.
class Corked {
 public:
  explicit Corked(const Sockets& sockets) : sockets_(sockets) { sockets_.cork(true); }
  Corked(const Corked&) = delete;
  Corked& operator=(const Corked&) = delete;
  ~Corked() { sockets_.cork(false); }

 private:
  const Sockets& sockets_;
};

/// The state of one exchange, as the callbacks see it.
struct Transfer {
  const HttpRequest& request;
  const Sockets& sockets;
  uint64_t length;    // of the request's body
  uint64_t sent = 0;  // of it
  HttpResponse response = {};
  uint64_t received = 0;  // of the answer, its head included
  std::exception_ptr error = {};
  std::array<char, CURL_ERROR_SIZE> reason = {};

  template <typename Body>
  size_t guarded(size_t on_error, Body&& body) noexcept {
    try {
      return body();
    } catch (...) {
      error = std::current_exception();
      return on_error;
    }
  }

  bool succeeded() const { return response.status >= 200 && response.status < 300; }

  void header_line(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // also after a 100 Continue: what came before was not the answer
      response = {};
      const auto space = line.find(' ');
      if (space != std::string_view::npos)
        response.status = std::atoi(std::string(line.substr(space)).c_str());
      return;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
      response.headers.add(std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
    else if (response.status >= 200 && response.headers.get("Content-Length") != "0")
      sockets.acknowledge();  // that was the end of the head
  }

  void body_piece(std::string_view piece) {
    if (request.sink != nullptr && succeeded()) {
      request.sink->write(std::as_bytes(std::span(piece)));
      return;
    }
    if (response.body.size() + piece.size() > request.body_limit)
      fail(ErrorKind::permanent, "{} answered with more than {} bytes", http_host(request.url),
           request.body_limit);
    response.body.append(piece);
  }

  size_t read(std::span<std::byte> buffer) {
    auto count = static_cast<size_t>(std::min<uint64_t>(buffer.size(), length - sent));
    if (count == 0) return 0;
    if (request.source != nullptr) {
      count = request.source->read(buffer.first(count));
      // libcurl would go on waiting for an answer to what the server takes for half a request.
      if (count == 0) fail(ErrorKind::permanent, "the source ended after {} of {} bytes", sent, length);
    } else {
      std::memcpy(buffer.data(), request.body.data() + sent, count);
    }
    sent += count;
    return count;
  }

  void rewind() {
    sent = 0;
    if (request.source != nullptr) request.source->rewind();
  }
};

size_t on_header(char* data, size_t, size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  return self.guarded(0, [&] {
    self.header_line(std::string_view(data, count));
    // A "100 Continue" is not the answer yet: what follows it is our body, however slow the line.
    if (self.response.status >= 200) self.received += count;
    return count;
  });
}

size_t on_body(char* data, size_t, size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  return self.guarded(CURL_WRITEFUNC_ERROR, [&] {
    self.received += count;
    self.body_piece(std::string_view(data, count));
    return count;
  });
}

size_t on_read(char* data, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  return self.guarded(CURL_READFUNC_ABORT,
                      [&] { return self.read(std::as_writable_bytes(std::span(data, size * count))); });
}

int on_seek(void* transfer, curl_off_t offset, int origin) {
  auto& self = *static_cast<Transfer*>(transfer);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  return static_cast<int>(self.guarded(CURL_SEEKFUNC_FAIL, [&] {
    self.rewind();
    return size_t{CURL_SEEKFUNC_OK};
  }));
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  const auto result = curl_easy_setopt(easy, option, value);
  if (result == CURLE_OK) return;
  const auto kind =
      option == CURLOPT_CAINFO || option == CURLOPT_URL ? ErrorKind::usage : ErrorKind::permanent;
  fail(kind, "libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(result));
}

void Sockets::follow(CURL* easy) {
  set(easy, CURLOPT_SOCKOPTFUNCTION, &opened);
  set(easy, CURLOPT_SOCKOPTDATA, this);
  set(easy, CURLOPT_CLOSESOCKETFUNCTION, &closed);
  set(easy, CURLOPT_CLOSESOCKETDATA, this);
}

bool breaks_lines(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void add_fields(HeaderList& list, const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (!is_header_field(name, value))
      fail(ErrorKind::usage, "the header {} for {} has a line break or a zero byte in it",
           is_header_field(name, {}) ? name : std::string("(malformed)"), http_host(request.url));
    // A semicolon is libcurl's way to send a field without a value; with a colon it would drop the field.
    list.append(trimmed(value).empty() ? name + ";" : name + ": " + value);
  }
}

void set_up_method(CURL* easy, const HttpRequest& request, uint64_t length, HeaderList& list) {
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (length > 0 || request.method == "PUT" || request.method == "POST") {
    // An upload under another method's name: no Content-Type of libcurl's own, and a POST is not kept in
    // memory.
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE,
        static_cast<long>(std::clamp(length, kLeastUploadBuffer, kMostUploadBuffer)));
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    list.append(request.expect_continue ? "Expect: 100-continue" : "Expect:");
  } else if (request.method != "GET") {
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void set_up_connection(CURL* easy, const HttpRequest& request, const HttpSettings& settings) {
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  set(easy, CURLOPT_BUFFERSIZE, request.method == "GET" ? kDownloadBuffer : kAnswerBuffer);
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  // libcurl reckons in whole bytes a second: a blank every few seconds is nothing to it.
  if (!request.may_dawdle) {
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.stall_timeout.count()));
  }
  if (request.ignore_proxy) set(easy, CURLOPT_PROXY, "");
  if (request.fresh_connection) set(easy, CURLOPT_FRESH_CONNECT, 1L);
}

void set_up_callbacks(CURL* easy, Transfer& transfer) {
  set(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, &transfer);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, &transfer);
  set(easy, CURLOPT_READFUNCTION, &on_read);
  set(easy, CURLOPT_READDATA, &transfer);
  set(easy, CURLOPT_SEEKFUNCTION, &on_seek);
  set(easy, CURLOPT_SEEKDATA, &transfer);
}

/// libcurl says "could not resolve host" of a name that does not exist and of a name server that is down
/// alike.
bool does_not_exist(const std::string& host_and_port) {
  const auto host = host_and_port.substr(0, host_and_port.rfind(':'));
  addrinfo* found = nullptr;
  const int result = getaddrinfo(host.c_str(), nullptr, nullptr, &found);
  if (result == 0) freeaddrinfo(found);
  return result == EAI_NONAME || result == EAI_NODATA;
}

bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP_RETURNED_ERROR:
    case CURLE_PROXY:
      return true;
    default:
      return false;
  }
}

Error transport_error(CURLcode code, const char* buffer, const HttpRequest& request) {
  std::string reason = buffer[0] != '\0' ? buffer : curl_easy_strerror(code);
  if (reason.size() > 1 && lower(reason[1]) == reason[1]) reason[0] = lower(reason[0]);
  const auto host = http_host(request.url);
  Error error(may_pass(code) ? ErrorKind::transient : ErrorKind::permanent,
              fmt::format("no answer from {}: {}", host, reason));
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorKind::usage, fmt::format("malformed URL for {}: {}", host, reason),
              "an endpoint is written as https://host or https://host:port"};
    case CURLE_COULDNT_RESOLVE_HOST:
      error.hint("check the region and the endpoint, and this machine's DNS");
      if (does_not_exist(host)) error.kind(ErrorKind::permanent);
      break;
    case CURLE_COULDNT_CONNECT:
      error.hint("is the server up, and can it be reached from here?");
      break;
    case CURLE_COULDNT_RESOLVE_PROXY:
      error.hint("check HTTPS_PROXY, http_proxy and ALL_PROXY");
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      error.hint(
          "if this server is to be trusted, let AWS_CA_BUNDLE name a file with its authority's certificate");
      break;
    case CURLE_SSL_CACERT_BADFILE:
      error.kind(ErrorKind::usage);
      error.hint("check the file that AWS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE names");
      break;
    case CURLE_SSL_CONNECT_ERROR:
      if (reason.find("wrong version number") != std::string::npos) {
        error.kind(ErrorKind::permanent);
        error.hint("does this port speak http and not https?");
      }
      break;
    default:
      break;
  }
  return error;
}

/// Judges how fast an answer comes, from its first byte on, over one stall_timeout after the other.
class AnswerPace {
 public:
  AnswerPace(const Transfer& transfer, std::chrono::seconds window) : transfer_(transfer), window_(window) {}

  void check() {
    if (transfer_.request.may_dawdle) return;
    if (transfer_.received == 0) return;  // libcurl's low speed limit watches over what comes before
    const auto now = std::chrono::steady_clock::now();
    if (!begun_) restart(now);
    if (now - *begun_ < window_) return;
    const auto got = transfer_.received - before_;
    if (got < HttpSettings::kSlowestAnswer * static_cast<uint64_t>(window_.count()))
      fail(ErrorKind::transient, "no answer from {}: it sends too slowly, {} bytes in {} seconds",
           http_host(transfer_.request.url), got, window_.count());
    restart(now);
  }

 private:
  void restart(std::chrono::steady_clock::time_point now) {
    begun_ = now;
    before_ = transfer_.received;
  }

  const Transfer& transfer_;
  std::chrono::seconds window_;
  std::optional<std::chrono::steady_clock::time_point> begun_;
  uint64_t before_ = 0;
};

/// Takes the easy handle out of the multi handle however the transfer ends.
class Running {
 public:
  Running(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    if (const auto result = curl_multi_add_handle(multi, easy); result != CURLM_OK)
      fail(ErrorKind::permanent, "cannot start a transfer: {}", curl_multi_strerror(result));
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_reset(easy_);  // it must not keep pointers into the Transfer; connections and caches stay
  }

  CURLcode run(AnswerPace pace, const Sockets& sockets, const Stop& stop) {
    int active = start(sockets);
    while (active != 0) {
      stop.check();
      pace.check();
      curl_waitfd stopped{stop.descriptor(), CURL_WAIT_POLLIN, 0};
      check(curl_multi_poll(multi_, &stopped, 1, 1000, nullptr));
      check(curl_multi_perform(multi_, &active));
    }
    int left = 0;
    const auto* message = curl_multi_info_read(multi_, &left);
    if (message == nullptr) fail(ErrorKind::permanent, "libcurl lost a transfer");
    return message->data.result;
  }

 private:
  /// On a kept connection that is all of a small request. Returns whether there is more to do.
  int start(const Sockets& sockets) {
    const Corked corked(sockets);
    int active = 0;
    check(curl_multi_perform(multi_, &active));
    return active;
  }
  static void check(CURLMcode result) {
    if (result != CURLM_OK) fail(ErrorKind::permanent, "libcurl: {}", curl_multi_strerror(result));
  }
  CURLM* multi_;
  CURL* easy_;
};

}  // namespace

void HttpHeaders::set(std::string name, std::string value) {
  erase(name);
  add(std::move(name), std::move(value));
}

void HttpHeaders::erase(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.first, name); });
}

const std::string* HttpHeaders::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& field) { return same_name(field.first, name); });
  return found == fields_.end() ? nullptr : &found->second;
}

std::string_view HttpHeaders::get(std::string_view name) const {
  const auto* found = find(name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

HttpSettings HttpSettings::from_environment() {
  HttpSettings settings;
  for (const char* name : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* path = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
    if (path == nullptr || *path == '\0') continue;
    if (access(path, R_OK) != 0)
      throw system_error("read", fmt::format("{}, which {} names", path, name), errno).kind(ErrorKind::usage);
    settings.ca_bundle = path;
    break;
  }
  return settings;
}

struct HttpShare::Caches {
  explicit Caches(const HttpSettings& settings) : trust(settings.ca_bundle), share(curl_share_init()) {
    if (share == nullptr) throw std::bad_alloc();
    curl_share_setopt(share, CURLSHOPT_LOCKFUNC, &lock);
    curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, &unlock);
    curl_share_setopt(share, CURLSHOPT_USERDATA, this);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  Caches(const Caches&) = delete;
  Caches& operator=(const Caches&) = delete;
  ~Caches() { curl_share_cleanup(share); }

  static void lock(CURL*, curl_lock_data data, curl_lock_access, void* self) {
    static_cast<Caches*>(self)->mutexes.at(data).lock();
  }
  static void unlock(CURL*, curl_lock_data data, void* self) {
    static_cast<Caches*>(self)->mutexes.at(data).unlock();
  }

  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes;
  HttpTrust trust;
  CURLSH* share;
};

HttpShare::HttpShare(HttpSettings settings) : settings_(std::move(settings)) {
  initialise_curl();
  caches_ = std::make_unique<Caches>(settings_);
}

HttpShare::~HttpShare() = default;

struct HttpClient::Handles {
  Handles() : multi(curl_multi_init()), easy(curl_easy_init()) {
    if (multi == nullptr || easy == nullptr) throw std::bad_alloc();
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  /// An easy handle whose transfer failed may keep its buffers, and then refuses to hear of their sizes.
  void renew_easy() {
    auto* another = curl_easy_init();
    if (another == nullptr) throw std::bad_alloc();
    curl_easy_cleanup(easy);
    easy = another;
  }
  CURLM* multi;
  CURL* easy;
  Sockets sockets;
  bool failed = false;
};

HttpClient::HttpClient(std::shared_ptr<HttpShare> share)
    : share_(std::move(share)), handles_(std::make_unique<Handles>()) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

HttpResponse HttpClient::send(const HttpRequest& request, const Stop& stop) {
  if (handles_->failed) handles_->renew_easy();
  handles_->failed = true;
  auto* easy = handles_->easy;
  const uint64_t length = request.source != nullptr ? request.source->size() : request.body.size();
  Transfer transfer{request, handles_->sockets, length};
  HeaderList fields;
  set(easy, CURLOPT_SHARE, share_->caches_->share);
  set_up_connection(easy, request, share_->settings());
  if (!request.url.starts_with("http://")) share_->caches_->trust.apply(easy);
  set_up_callbacks(easy, transfer);
  handles_->sockets.follow(easy);
  set_up_method(easy, request, length, fields);
  add_fields(fields, request);
  set(easy, CURLOPT_HTTPHEADER, fields.get());
  stop.check();
  const auto result = Running(handles_->multi, easy)
                          .run({transfer, share_->settings().stall_timeout}, handles_->sockets, stop);
  if (transfer.error) std::rethrow_exception(transfer.error);
  if (result != CURLE_OK) throw transport_error(result, transfer.reason.data(), request);
  handles_->failed = false;
  return std::move(transfer.response);
}

bool is_header_field(std::string_view name, std::string_view value) {
  return !name.empty() && !breaks_lines(name) && !breaks_lines(value);
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(seconds);
}

std::string http_host(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto credentials = url.rfind('@'); credentials != std::string_view::npos)
    url.remove_prefix(credentials + 1);
  return std::string(url);
}

}  // namespace base
