#include "tests/support/signature_check.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

namespace support {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string sha256(const std::string& text) {
  std::array<unsigned char, 32> digest;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {digest.begin(), digest.end()};
}

std::string hmac(const std::string& key, const std::string& text) {
  std::array<unsigned char, 32> digest;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {digest.begin(), digest.end()};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string decode(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string encode(const std::string& text, const std::string& kept) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || kept.find(c) != std::string::npos)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

Pairs query_of(const HttpServerRequest& request) {
  Pairs pairs;
  for (const auto& parameter : split(request.query(), '&')) {
    const auto equals = std::min(parameter.find('='), parameter.size());
    const auto value = equals < parameter.size() ? parameter.substr(equals + 1) : std::string();
    pairs.emplace_back(encode(decode(parameter.substr(0, equals)), "-._~"), encode(decode(value), "-._~"));
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::string parameter(const Pairs& query, const std::string& name) {
  for (const auto& [key, value] : query)
    if (key == name) return decode(value);
  return {};
}

/// What the client says about its signature, wherever it says it.
struct Claim {
  std::vector<std::string> credential;  // id, date, region, service, "aws4_request"
  std::vector<std::string> headers;
  std::string signature;
  std::string time;
  std::string token;
  bool presigned = false;
  long lifetime = 0;
};

Claim claim_of(const HttpServerRequest& request, const Pairs& query) {
  Claim claim;
  claim.presigned = !parameter(query, "X-Amz-Signature").empty();
  if (claim.presigned) {
    claim.credential = split(parameter(query, "X-Amz-Credential"), '/');
    claim.headers = split(parameter(query, "X-Amz-SignedHeaders"), ';');
    claim.signature = parameter(query, "X-Amz-Signature");
    claim.time = parameter(query, "X-Amz-Date");
    claim.token = parameter(query, "X-Amz-Security-Token");
    claim.lifetime = std::atol(parameter(query, "X-Amz-Expires").c_str());
    return claim;
  }
  std::string text(request.headers.get("Authorization"));
  const std::string algorithm = "AWS4-HMAC-SHA256 ";
  if (!text.starts_with(algorithm)) return claim;
  for (auto part : split(text.substr(algorithm.size()), ',')) {
    part.erase(0, part.find_first_not_of(' '));
    const auto equals = std::min(part.find('='), part.size() - 1);
    const auto name = part.substr(0, equals), value = part.substr(equals + 1);
    if (name == "Credential") claim.credential = split(value, '/');
    if (name == "SignedHeaders") claim.headers = split(value, ';');
    if (name == "Signature") claim.signature = value;
  }
  claim.time = request.headers.get("X-Amz-Date");
  claim.token = request.headers.get("X-Amz-Security-Token");
  return claim;
}

std::string unsigned_header(const HttpServerRequest& request, const Claim& claim) {
  const std::set<std::string> covered(claim.headers.begin(), claim.headers.end());
  if (!covered.contains("host")) return "host";
  for (const auto& [name, value] : request.headers) {
    const auto key = base::lower_case(name);
    const bool wanted = key.starts_with("x-amz-") || key == "content-md5" || key == "content-type";
    if (wanted && !covered.contains(key)) return key;
  }
  return {};
}

std::string canonical_headers(const HttpServerRequest& request, const Claim& claim) {
  std::string lines;
  for (const auto& wanted : claim.headers) {
    std::vector<std::string> values;
    for (const auto& [name, value] : request.headers) {
      if (base::lower_case(name) != wanted) continue;
      std::istringstream words(value);
      std::string collapsed;
      for (std::string word; words >> word;) collapsed += (collapsed.empty() ? "" : " ") + word;
      values.push_back(collapsed);
    }
    lines += wanted + ":";
    for (size_t i = 0; i < values.size(); ++i) lines += (i > 0 ? "," : "") + values[i];
    lines += "\n";
  }
  return lines;
}

std::string canonical_query(const Pairs& query) {
  std::string text;
  for (const auto& [name, value] : query)
    if (name != "X-Amz-Signature") text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

std::string joined(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? std::string() : std::string(1, separator)) + part;
  return text;
}

std::string claimed_signature(const HttpServerRequest& request, const Pairs& query, const Claim& claim,
                              const std::string& payload, const std::string& secret) {
  const auto& [date, region, service] =
      std::tie(claim.credential[1], claim.credential[2], claim.credential[3]);
  // S3 encodes a key once; everybody else takes the path as sent and encodes it again.
  const auto path =
      service == "s3" ? encode(decode(request.path()), "-._~/") : encode(request.path(), "-._~/");
  const auto canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path, canonical_query(query),
                                     canonical_headers(request, claim), joined(claim.headers, ';'), payload);
  const auto text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}", claim.time, date, region,
                                service, hex(sha256(canonical)));
  return hex(hmac(hmac(hmac(hmac(hmac("AWS4" + secret, date), region), service), "aws4_request"), text));
}

/// What is wrong with the payload's hash, or empty; `hash` becomes what was signed.
std::string payload_objection(const HttpServerRequest& request, const Claim& claim,
                              const std::string& service, std::string& hash) {
  const auto actual = hex(sha256(request.body));
  hash = request.headers.get("X-Amz-Content-Sha256");
  if (service != "s3" || (claim.presigned && hash.empty())) {
    hash = claim.presigned && service == "s3" ? "UNSIGNED-PAYLOAD" : actual;
    return {};
  }
  if (hash.empty()) return "InvalidRequest x-amz-content-sha256 is missing";
  if (hash != "UNSIGNED-PAYLOAD" && hash != actual)
    return "XAmzContentSHA256Mismatch the body has another hash";
  return {};
}

}  // namespace

std::string signature_objection(const HttpServerRequest& request, const AccessKeys& keys,
                                std::string_view region, std::string_view service,
                                std::chrono::system_clock::time_point now) {
  const auto query = query_of(request);
  const auto claim = claim_of(request, query);
  if (claim.signature.empty() || claim.credential.size() != 5)
    return "MissingAuthenticationToken no signature";
  const auto key = keys.find(claim.credential[0]);
  if (key == keys.end()) return "InvalidAccessKeyId no such key";
  if (claim.token != key->second.token) return "InvalidToken the session token is another";
  if (claim.credential[2] != region)
    return fmt::format("AuthorizationHeaderMalformed the region is {}", region);
  if (claim.credential[3] != service)
    return fmt::format("AuthorizationHeaderMalformed the service is {}", service);
  if (claim.time.substr(0, 8) != claim.credential[1])
    return "InvalidSignatureException another date in the scope";
  std::tm time{};
  if (strptime(claim.time.c_str(), "%Y%m%dT%H%M%SZ", &time) == nullptr)
    return "InvalidSignatureException no date";
  const auto age = now - std::chrono::system_clock::from_time_t(timegm(&time));
  const auto allowed = claim.presigned ? std::chrono::seconds(claim.lifetime) : std::chrono::minutes(15);
  if (age > allowed) return "RequestExpired Signature expired";
  if (age < -std::chrono::minutes(15)) return "RequestInTheFuture Signature not yet current";
  if (const auto name = unsigned_header(request, claim); !name.empty())
    return "AccessDenied not signed: " + name;
  std::string payload;
  if (auto objection = payload_objection(request, claim, std::string(service), payload); !objection.empty())
    return objection;
  if (claimed_signature(request, query, claim, payload, key->second.secret) != claim.signature)
    return "SignatureDoesNotMatch the signature is wrong";
  return {};
}

}  // namespace support
