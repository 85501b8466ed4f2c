#include "aws/metadata.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "aws/json_text.h"
#include "aws/timestamp.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace aws {
namespace {

using base::ErrorKind;
using base::HttpRequest;
using base::trimmed;
using namespace std::chrono_literals;

constexpr auto kTimeout = 1s;
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";

/// May an answer full of secrets come from there unencrypted?
bool is_local(std::string_view url) {
  auto host = base::http_host(url);
  if (host.starts_with('[')) {
    host = host.substr(1, std::min(host.find(']'), host.size()) - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  constexpr std::array<std::string_view, 5> kHosts{"localhost", "::1", "169.254.170.2", "169.254.170.23",
                                                   "fd00:ec2::23"};
  // Not "127.evil.example": only what is all numbers.
  const bool loopback =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
  return loopback || std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
}

}  // namespace

Credentials parse_credentials(const std::string& json, std::string_view what) {
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) base::fail(ErrorKind::permanent, "{} did not answer with credentials", what);
  Credentials credentials;
  credentials.access_key_id = text_of(object, "AccessKeyId");
  credentials.secret_access_key = Secret(text_of(object, "SecretAccessKey"));
  auto token = text_of(object, "Token");
  credentials.session_token = Secret(token.empty() ? text_of(object, "SessionToken") : std::move(token));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    base::fail(ErrorKind::permanent, "{} did not answer with credentials", what);
  if (const auto expiration = text_of(object, "Expiration"); !expiration.empty()) {
    credentials.expires = parse_timestamp(expiration);
    if (!credentials.expires) base::fail(ErrorKind::permanent, "{} gave a malformed Expiration", what);
  }
  return credentials;
}

InstanceMetadata::InstanceMetadata(const Environment& environment, std::shared_ptr<base::HttpShare> http)
    : http_(std::move(http)), disabled_(environment.flag("AWS_EC2_METADATA_DISABLED").value_or(false)) {
  auto mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("IPv4");
  std::transform(mode.begin(), mode.end(), mode.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  url_ = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
             .value_or(mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  while (url_.ends_with('/')) url_.pop_back();
}

base::HttpResponse InstanceMetadata::send(HttpRequest request, const base::Stop& stop) const {
  request.ignore_proxy = true;
  request.connect_timeout = kTimeout;
  request.timeout = kTimeout;
  return base::HttpClient(http_).send(request, stop);
}

std::optional<std::string> InstanceMetadata::get(const std::string& path, const base::Stop& stop) const {
  if (disabled_) return std::nullopt;
  const auto token = send({.method = "PUT",
                           .url = url_ + "/latest/api/token",
                           .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}}},
                          stop);
  if (token.status >= 500)
    base::fail(ErrorKind::transient, "the instance metadata service answered {}", token.status);
  if (token.status != 200) return std::nullopt;
  const auto answer =
      send({.url = url_ + path, .headers = {{"X-aws-ec2-metadata-token", std::string(trimmed(token.body))}}},
           stop);
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200)
    base::fail(ErrorKind::transient, "the instance metadata service answered {}", answer.status);
  return answer.body;
}

std::optional<std::string> InstanceMetadata::role(const base::Stop& stop) const {
  try {
    const auto roles = get(std::string(kRolePath), stop);
    if (!roles) return std::nullopt;
    std::string role(trimmed(std::string_view(*roles).substr(0, roles->find('\n'))));
    if (role.empty()) return std::nullopt;
    return role;
  } catch (const base::Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    return std::nullopt;
  }
}

Credentials InstanceMetadata::credentials(const std::string& role, const base::Stop& stop) const {
  const auto answer = get(std::string(kRolePath) + role, stop);
  if (!answer)
    base::fail(ErrorKind::transient, "the instance metadata service has no credentials for role {}", role);
  return parse_credentials(*answer, "the instance metadata service");
}

std::optional<std::string> InstanceMetadata::region(const base::Stop& stop) const {
  try {
    const auto region = get("/latest/meta-data/placement/region", stop);
    if (!region || trimmed(*region).empty()) return std::nullopt;
    return std::string(trimmed(*region));
  } catch (const base::Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    return std::nullopt;
  }
}

std::optional<std::string> container_credentials_url(const Environment& environment) {
  if (const auto relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
    // Without a slash it would go on the host's name: "169.254.170.2.evil.example".
    return "http://169.254.170.2" + (relative->starts_with('/') ? *relative : "/" + *relative);
  auto full = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full && !full->starts_with("https://") && !is_local(*full))
    throw base::Error(
        ErrorKind::usage,
        fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI would fetch credentials from {} in the clear",
                    base::http_host(*full)),
        "use https, or an address of this machine");
  return full;
}

std::optional<Credentials> container_credentials(const Environment& environment,
                                                 const std::shared_ptr<base::HttpShare>& http,
                                                 const base::Stop& stop) {
  const auto url = container_credentials_url(environment);
  if (!url) return std::nullopt;
  HttpRequest request{.url = *url, .headers = {{"Accept", "application/json"}}};
  request.ignore_proxy = is_local(*url);
  request.connect_timeout = 2s;
  request.timeout = 10s;
  auto token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    token = trimmed(base::read_file(*file));
  if (token) request.headers.add("Authorization", *token);
  const auto answer = base::HttpClient(http).send(request, stop);
  if (answer.status != 200)
    base::fail(answer.status >= 500 || answer.status == 429 ? ErrorKind::transient : ErrorKind::permanent,
               "the container's credentials endpoint {} answered {}", base::http_host(*url), answer.status);
  return parse_credentials(answer.body, "the container's credentials endpoint");
}

}  // namespace aws
