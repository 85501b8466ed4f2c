// An S3 server that keeps names and sizes and throws contents away: behind it a client's own speed and CPU
// show.
//
//   null_sink [CERTIFICATE KEY]      http, or https with these PEM files; prints its port, ends with SIGTERM
//
// Bodies above kKept are not even hashed: an ETag is what Content-MD5 says, or made up. Smaller ones are
// checked, so that a client that tries whether the server checks finds one that does.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/sigv4.h"
#include "s3/checksum.h"

namespace {

constexpr size_t kKept = 4096;

struct Disconnected {};

class Stream {
 public:
  Stream(int socket, SSL_CTX* tls) : socket_(socket) {
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, socket_);
    if (SSL_accept(ssl_) != 1) throw Disconnected();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    SSL_free(ssl_);
    close(socket_);
  }

  size_t read(char* to, size_t size) {
    const auto count = ssl_ != nullptr
                           ? SSL_read(ssl_, to, static_cast<int>(std::min<size_t>(size, 1U << 20)))
                           : recv(socket_, to, size, 0);
    if (count <= 0) throw Disconnected();
    return static_cast<size_t>(count);
  }
  /// Plain bytes are dropped in the kernel.
  size_t discard(size_t size) {
    if (ssl_ != nullptr) return read(scratch_.data(), std::min(size, scratch_.size()));
    const auto count = recv(socket_, nullptr, std::min<size_t>(size, 1U << 20), MSG_TRUNC);
    if (count <= 0) throw Disconnected();
    return static_cast<size_t>(count);
  }
  void write(std::string_view text) {
    while (!text.empty()) {
      const auto count = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                         : send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) throw Disconnected();
      text.remove_prefix(static_cast<size_t>(count));
    }
  }

 private:
  int socket_;
  SSL* ssl_ = nullptr;
  std::vector<char> scratch_ = std::vector<char>(size_t{256} << 10);
};

struct Request {
  std::string method;
  std::string key;  // without the bucket
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // lower-case names
  size_t size = 0;
  std::string body;  // up to kKept

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
  bool has(const std::string& name) const { return query.contains(name); }
  std::string get(const std::string& name) const { return has(name) ? query.at(name) : std::string(); }
};

struct Answer {
  int status = 200;
  std::string headers = {};
  std::string body = {};
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void parse_target(Request& request, std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, mark);
  const auto slash = path.find('/', 1);
  if (slash != std::string_view::npos) request.key = aws::uri_decode(path.substr(slash + 1));
  for (auto rest = target.substr(std::min(mark + 1, target.size())); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    const auto equals = std::min(pair.find('='), pair.size());
    request.query[aws::uri_decode(pair.substr(0, equals))] =
        aws::uri_decode(pair.substr(std::min(equals + 1, pair.size())));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
}

Request parse_head(std::string_view head) {
  Request request;
  const auto line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first) throw Disconnected();
  request.method = line.substr(0, first);
  parse_target(request, line.substr(first + 1, last - first - 1));
  for (auto rest = head.substr(line.size() + 2); !rest.empty();) {
    const auto field = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(field.size() + 2, rest.size()));
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    const auto value = field.substr(std::min(field.find_first_not_of(' ', colon + 1), field.size()));
    request.headers[lower(std::string(field.substr(0, colon)))] = value;
  }
  request.size = std::strtoull(request.header("content-length").c_str(), nullptr, 10);
  return request;
}

Answer error(int status, const std::string& code) {
  return {status, {}, fmt::format("<Error><Code>{}</Code></Error>", code)};
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

class Bucket {
 public:
  Answer answer(const Request& request) {
    if (request.key.empty()) return request.method == "GET" ? list(request) : Answer{};
    if (request.method == "PUT") return put(request);
    if (request.method == "POST") return request.has("uploads") ? create(request) : complete(request);
    if (request.method == "DELETE") return remove(request);
    return look(request);
  }

 private:
  struct Object {
    uint64_t size = 0;
    std::string etag;
  };
  struct Upload {
    uint64_t size = 0;
    std::map<int, std::string> parts;  // their ETags
  };
  static constexpr const char* kDate = "Sat, 01 Jan 2022 00:00:00 GMT";

  /// Empty when the body is not what its checksum says.
  static std::string etag_of(const Request& request) {
    const auto md5 = s3::from_base64(request.header("content-md5"));
    if (request.size > kKept) return md5 ? s3::to_hex(*md5) : fmt::format("{:032x}", request.size);
    const auto bytes = std::as_bytes(std::span(request.body));
    const auto own = s3::checksum(s3::Integrity::md5, bytes);
    if (md5 && !md5->empty() && *md5 != own) return {};
    const auto crc = request.header("x-amz-checksum-crc64nvme");
    if (!crc.empty() && crc != s3::to_base64(s3::checksum(s3::Integrity::crc64nvme, bytes))) return {};
    return s3::to_hex(own);
  }

  Answer put(const Request& request) {
    const auto etag = etag_of(request);
    if (etag.empty()) return error(400, "BadDigest");
    const std::lock_guard lock(mutex_);
    if (request.has("uploadId")) {
      auto& upload = uploads_[request.get("uploadId")];
      upload.size += request.size;
      upload.parts[std::atoi(request.get("partNumber").c_str())] = etag;
    } else {
      if (request.header("if-none-match") == "*" && objects_.contains(request.key))
        return error(412, "PreconditionFailed");
      objects_[request.key] = {request.size, etag};
    }
    return {200, fmt::format("ETag: \"{}\"\r\n", etag), {}};
  }

  Answer create(const Request& request) {
    const std::lock_guard lock(mutex_);
    const auto id = fmt::format("{:08x}", ++last_id_);
    uploads_[id] = {};
    return {
        200,
        {},
        fmt::format("<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{}</Key><UploadId>{}</UploadId>"
                    "</InitiateMultipartUploadResult>",
                    xml_text(request.key), id)};
  }

  Answer complete(const Request& request) {
    const std::lock_guard lock(mutex_);
    const auto found = uploads_.find(request.get("uploadId"));
    if (found == uploads_.end()) return error(404, "NoSuchUpload");
    std::vector<std::string> etags;
    for (const auto& [number, part] : found->second.parts) etags.push_back(part);
    const auto etag = s3::multipart_etag(etags).value_or("none");  // rclone compares it with its own
    objects_[request.key] = {found->second.size, etag};
    uploads_.erase(found);
    return {200,
            {},
            fmt::format("<CompleteMultipartUploadResult><Key>{}</Key><ETag>\"{}\"</ETag>"
                        "</CompleteMultipartUploadResult>",
                        xml_text(request.key), etag)};
  }

  Answer remove(const Request& request) {
    const std::lock_guard lock(mutex_);
    if (request.has("uploadId"))
      uploads_.erase(request.get("uploadId"));
    else
      objects_.erase(request.key);
    return {204, {}, {}};
  }

  Answer look(const Request& request) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(request.key);
    if (found == objects_.end()) return error(404, "NoSuchKey");
    return {200,
            fmt::format("ETag: \"{}\"\r\nLast-Modified: {}\r\nContent-Length: {}\r\n", found->second.etag,
                        kDate, found->second.size),
            {}};
  }

  /// Without a delimiter and with "/".
  Answer list(const Request& request) {
    if (request.has("uploads")) return {200, {}, "<ListMultipartUploadsResult/>"};
    if (request.has("location") || request.has("versioning")) return {200, {}, "<LocationConstraint/>"};
    const bool encoded = request.has("encoding-type");
    const auto shown = [&](const std::string& key) {
      return encoded ? aws::uri_encode(key, true) : xml_text(key);
    };
    const auto prefix = request.get("prefix");
    const auto after = request.get(request.has("list-type") ? "continuation-token" : "marker");
    const std::lock_guard lock(mutex_);
    std::string body;
    std::string directory;
    std::string last;
    size_t count = 0;
    auto at = after.empty() ? objects_.lower_bound(prefix) : objects_.upper_bound(std::max(after, prefix));
    for (; at != objects_.end() && at->first.starts_with(prefix) && count < 1000; ++at) {
      last = at->first;
      const auto slash = request.get("delimiter").empty() ? std::string::npos : last.find('/', prefix.size());
      if (slash == std::string::npos) {
        ++count;
        body += fmt::format(
            "<Contents><Key>{}</Key><LastModified>2022-01-01T00:00:00.000Z</LastModified><ETag>\"{}\"</ETag>"
            "<Size>{}</Size></Contents>",
            shown(last), at->second.etag, at->second.size);
      } else if (last.substr(0, slash + 1) != directory) {
        ++count;
        directory = last.substr(0, slash + 1);
        body += fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", shown(directory));
      }
    }
    const bool more = at != objects_.end() && at->first.starts_with(prefix);
    if (more)
      body += fmt::format("<NextMarker>{0}</NextMarker><NextContinuationToken>{1}</NextContinuationToken>",
                          shown(last), xml_text(last));
    return {200,
            {},
            fmt::format("<ListBucketResult>{}<IsTruncated>{}</IsTruncated>{}</ListBucketResult>",
                        encoded ? "<EncodingType>url</EncodingType>" : "", more, body)};
  }

  std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  uint64_t last_id_ = 0;
};

void serve(int socket, SSL_CTX* tls, Bucket& bucket) {
  try {
    Stream stream(socket, tls);
    std::string buffer;
    std::array<char, 16384> piece;
    for (;;) {
      size_t end = 0;
      while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
        buffer.append(piece.data(), stream.read(piece.data(), piece.size()));
      auto request = parse_head(std::string_view(buffer).substr(0, end + 2));
      buffer.erase(0, end + 4);
      if (lower(request.header("expect")) == "100-continue") stream.write("HTTP/1.1 100 Continue\r\n\r\n");
      const bool kept = request.size <= kKept;
      size_t left = request.size;
      const auto here = std::min(left, buffer.size());
      if (kept) request.body = buffer.substr(0, here);
      buffer.erase(0, here);
      left -= here;
      while (left > 0 && !kept) left -= stream.discard(left);
      while (left > 0) {
        const auto count = stream.read(piece.data(), std::min(left, piece.size()));
        request.body.append(piece.data(), count);
        left -= count;
      }
      const auto answer = bucket.answer(request);
      auto head = fmt::format("HTTP/1.1 {} X\r\nx-amz-request-id: 1\r\n{}", answer.status, answer.headers);
      if (!answer.headers.ends_with("\r\n") || answer.headers.find("Content-Length") == std::string::npos)
        if (answer.status != 204) head += fmt::format("Content-Length: {}\r\n", answer.body.size());
      if (!answer.body.empty()) head += "Content-Type: application/xml\r\n";
      stream.write(head + "\r\n" + (request.method == "HEAD" ? "" : answer.body));
    }
  } catch (const Disconnected&) {  // NOLINT(bugprone-empty-catch): how every connection ends
  }
}

SSL_CTX* tls_of(int argc, char** argv) {
  if (argc < 3) return nullptr;
  auto* tls = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(tls, argv[1]) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, argv[2], SSL_FILETYPE_PEM) != 1)
    std::exit(2);
  return tls;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  auto* tls = tls_of(argc, argv);
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT
  if (bind(listening, generic, size) != 0 || listen(listening, 512) != 0 ||
      getsockname(listening, generic, &size) != 0)
    return 1;
  std::cout << ntohs(address.sin_port) << std::endl;
  Bucket bucket;
  for (;;) {
    const int socket = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([socket, tls, &bucket] { serve(socket, tls, bucket); }).detach();
  }
}
