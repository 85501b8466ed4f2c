#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/chrono.h>

#include "base/error.h"

namespace aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kKeyEnd = "aws4_request";

std::string hex(const base::Sha256& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

using base::bytes_of;

base::Sha256 hmac(base::Bytes key, std::string_view text) {
  base::HmacSha256 mac(key);
  mac.add(bytes_of(text));
  return mac.take();
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// The parts of a URL as it stands, none of them decoded.
struct Url {
  std::string_view scheme, host, path, query;
};

Url split_url(std::string_view url) {
  Url parts;
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    parts.scheme = url.substr(0, scheme);
    auto rest = url.substr(scheme + 3);
    const auto host = std::min(rest.find_first_of("/?"), rest.size());
    parts.host = rest.substr(0, host);
    rest.remove_prefix(host);
    const auto path = std::min(rest.find('?'), rest.size());
    parts.path = rest.substr(0, path);
    if (path < rest.size()) parts.query = rest.substr(path + 1);
  }
  if (parts.host.empty() || (parts.scheme != "http" && parts.scheme != "https"))
    base::fail(base::ErrorKind::usage, "malformed URL for {}", base::http_host(url));
  return parts;
}

/// As libcurl sends it: without the scheme's own port.
std::string host_header(const Url& url) {
  const std::string_view port = url.scheme == "https" ? ":443" : ":80";
  auto host = url.host;
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return lower_case(host);
}

/// Without empty, "." and ".." segments; a slash at the end stays.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> segments;
  bool directory = true;
  for (size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto segment = path.substr(start, end - start);
    directory = end < path.size() || segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    start = end + 1;
  }
  std::string text;
  for (const auto segment : segments) (text += '/') += segment;
  if (directory || text.empty()) text += '/';
  return text;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const auto equals = std::min(parameter.find('='), parameter.size());
    const auto value = parameter.substr(std::min(equals + 1, parameter.size()));
    parameters.emplace_back(uri_encode(uri_decode(parameter.substr(0, equals))),
                            uri_encode(uri_decode(value)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (!text.empty()) text += '&';
    text.append(name).append(1, '=').append(value);
  }
  return text;
}

/// Trimmed, and runs of spaces (also those of a folded line) as one space.
std::string canonical_value(std::string_view value) {
  std::string text;
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      space = true;
      continue;
    }
    if (space && !text.empty()) text += ' ';
    space = false;
    text += c;
  }
  return text;
}

/// Proxies and libcurl set or change these.
bool is_signed(std::string_view name) {
  constexpr std::array<std::string_view, 7> kUnsigned{"authorization",  "connection",        "content-length",
                                                      "expect",         "transfer-encoding", "user-agent",
                                                      "x-amzn-trace-id"};
  return std::find(kUnsigned.begin(), kUnsigned.end(), name) == kUnsigned.end();
}

}  // namespace

bool is_for_its_time(std::string_view error_code, std::string_view error_message) {
  constexpr std::array<std::string_view, 3> kCodes{"RequestTimeTooSkewed", "RequestExpired",
                                                   "RequestInTheFuture"};
  const auto says = [&](std::string_view text) { return error_message.find(text) != std::string_view::npos; };
  return std::find(kCodes.begin(), kCodes.end(), error_code) != kCodes.end() ||
         ((error_code == "InvalidSignatureException" || error_code == "SignatureDoesNotMatch") &&
          (says("Signature expired") || says("Signature not yet current")));
}

std::string sha256_hex(base::Bytes bytes) { return hex(base::sha256(bytes)); }

std::string sha256_hex(std::string_view text) { return sha256_hex(bytes_of(text)); }

std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && keep_slash)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string uri_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size();
    const int high = whole ? hex_value(text[i + 1]) : -1;
    const int low = whole ? hex_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string amz_date(Clock::time_point time) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(Clock::to_time_t(time)));
}

Signer::Signer(std::string region, std::string service)
    : region_(std::move(region)), service_(std::move(service)) {}

CanonicalRequest Signer::canonical_request(std::string_view method, std::string_view url,
                                           const base::HttpHeaders& headers,
                                           std::string_view payload_hash) const {
  const auto parts = split_url(url);
  std::vector<base::HttpHeaders::Field> fields;
  fields.reserve(16);
  bool has_host = false;
  for (const auto& [name, value] : headers) {
    auto key = lower_case(name);
    if (!is_signed(key)) continue;
    has_host = has_host || key == "host";
    fields.emplace_back(std::move(key), canonical_value(value));
  }
  if (!has_host) fields.emplace_back("host", host_header(parts));
  std::ranges::stable_sort(fields, {}, &base::HttpHeaders::Field::first);
  CanonicalRequest result;
  std::string lines;
  std::string_view last;
  for (const auto& [name, value] : fields) {
    if (name == last) {  // fields of one name are one, in their order
      lines.back() = ',';
      lines.append(value).append(1, '\n');
      continue;
    }
    last = name;
    lines.append(name).append(1, ':').append(value).append(1, '\n');
    if (!result.signed_headers.empty()) result.signed_headers += ';';
    result.signed_headers += name;
  }
  const auto path = service_ == "s3" ? uri_encode(uri_decode(parts.path.empty() ? "/" : parts.path), true)
                                     : uri_encode(normalised(parts.path), true);
  result.text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, path, canonical_query(parts.query), lines,
                            result.signed_headers, payload_hash);
  return result;
}

std::string Signer::scope(std::string_view date) const {
  return fmt::format("{}/{}/{}/{}", date, region_, service_, kKeyEnd);
}

std::shared_ptr<const base::HmacSha256> Signer::signing_key(const Secret& secret,
                                                            std::string_view date) const {
  auto cached = cached_.lock();
  if (!cached->key || cached->date != date || cached->secret != secret) {
    auto key = hmac(bytes_of("AWS4" + secret.reveal()), date);
    for (const std::string_view text : {std::string_view(region_), std::string_view(service_), kKeyEnd})
      key = hmac(std::as_bytes(std::span(key)), text);
    cached->key = std::make_shared<base::HmacSha256>(std::as_bytes(std::span(key)));
    cached->date = date;
    cached->secret = secret;
  }
  return cached->key;
}

std::string Signer::signature(const CanonicalRequest& canonical, const Secret& secret,
                              const std::string& time) const {
  const auto date = std::string_view(time).substr(0, 8);
  const auto text = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope(date), sha256_hex(canonical.text));
  base::HmacSha256 mac(*signing_key(secret, date));
  mac.add(bytes_of(text));
  return hex(mac.take());
}

void Signer::sign(base::HttpRequest& request, const Credentials& credentials, std::string_view payload_hash,
                  Clock::time_point now) const {
  const auto time = amz_date(now);
  auto& headers = request.headers;
  headers.set("X-Amz-Date", time);
  headers.erase("X-Amz-Security-Token");
  if (!credentials.session_token.empty())
    headers.add("X-Amz-Security-Token", credentials.session_token.reveal());
  if (service_ == "s3") headers.set("X-Amz-Content-Sha256", std::string(payload_hash));
  const auto canonical = canonical_request(request.method, request.url, headers, payload_hash);
  headers.set(
      "Authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                  credentials.access_key_id, scope(std::string_view(time).substr(0, 8)),
                  canonical.signed_headers, signature(canonical, credentials.secret_access_key, time)));
}

Secret Signer::presign(std::string_view method, std::string_view url, const Credentials& credentials,
                       std::string_view payload_hash, std::chrono::seconds lifetime,
                       Clock::time_point now) const {
  const auto time = amz_date(now);
  const auto parts = split_url(url);
  const auto credential = credentials.access_key_id + '/' + scope(std::string_view(time).substr(0, 8));
  auto query = fmt::format(
      "{}{}X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders=host",
      parts.query, parts.query.empty() ? "" : "&", kAlgorithm, uri_encode(credential), time,
      lifetime.count());
  if (!credentials.session_token.empty())
    query += "&X-Amz-Security-Token=" + uri_encode(credentials.session_token.reveal());
  auto signed_url = fmt::format("{}://{}{}?{}", parts.scheme, parts.host,
                                parts.path.empty() ? "/" : parts.path, canonical_query(query));
  const auto canonical = canonical_request(method, signed_url, {}, payload_hash);
  signed_url += "&X-Amz-Signature=" + signature(canonical, credentials.secret_access_key, time);
  return Secret(std::move(signed_url));
}

}  // namespace aws
