#include "aws/sso.h"

#include <array>
#include <filesystem>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include "aws/json_text.h"
#include "aws/session.h"
#include "aws/sigv4.h"
#include "aws/timestamp.h"
#include "base/error.h"
#include "base/file.h"
#include "base/file_lock.h"

namespace aws {
namespace {

using base::ErrorKind;

[[noreturn]] void ask_to_log_in(const SsoLogin& login, std::string_view why) {
  throw base::Error(ErrorKind::usage,
                    fmt::format("the AWS profile {} is not logged in: {}", login.profile, why),
                    fmt::format("run: aws sso login --profile {}", login.profile));
}

std::string sha1_hex(const std::string& text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

/// The cache names its files by the session, or by the start URL where there is none.
std::filesystem::path cache_file(const Session& session, const SsoLogin& login) {
  const auto key = login.session_name.empty() ? login.start_url : login.session_name;
  return session.environment().expand_home("~/.aws/sso/cache") / (sha1_hex(key) + ".json");
}

/// What the service says against it, without anything of a token.
std::string refusal_in(const base::HttpResponse& answer) {
  const auto object = nlohmann::json::parse(answer.body, nullptr, false);
  const auto code = object.is_object() ? text_of(object, "error") : "";
  return code.empty() ? fmt::format("status {}", answer.status) : code;
}

/// What the login left.
nlohmann::json cached_login(const Session& session, const SsoLogin& login) {
  const auto content = base::read_file_if_exists(cache_file(session, login));
  if (!content) ask_to_log_in(login, "there is no cached token");
  auto object = nlohmann::json::parse(*content, nullptr, false);
  if (!object.is_object() || text_of(object, "accessToken").empty())
    ask_to_log_in(login, "the cached token is malformed");
  return object;
}

bool can_be_renewed(const nlohmann::json& cached) {
  return !text_of(cached, "refreshToken").empty() && !text_of(cached, "clientId").empty() &&
         !text_of(cached, "clientSecret").empty();
}

/// nullopt: it has expired, and can be renewed.
std::optional<Secret> usable_token(const Session& session, const SsoLogin& login,
                                   const nlohmann::json& cached) {
  const auto expires = parse_timestamp(text_of(cached, "expiresAt"));
  if (expires && *expires > session.now()) return Secret(text_of(cached, "accessToken"));
  if (!can_be_renewed(cached)) ask_to_log_in(login, "the cached token has expired");
  return std::nullopt;
}

/// The cache in the hands of this process alone, and the file that will replace it.
struct Replacement {
  Replacement(const std::filesystem::path& path, const base::Stop& stop)
      : lock(path.native() + ".lock", stop), file(path) {}
  base::FileLock lock;
  base::FileSink file;
};

Replacement replacement(const Session& session, const SsoLogin& login, const base::Stop& stop) {
  try {
    return {cache_file(session, login), stop};
  } catch (const base::Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    ask_to_log_in(login, "the cached token has expired, and a new one could not be kept: " + error.message());
  }
}

/// The answer has another access token, or the reason why there is none.
base::HttpResponse exchange(const Session& session, const SsoLogin& login, const nlohmann::json& cached,
                            const base::Stop& stop) {
  const auto body = nlohmann::json{{"clientId", text_of(cached, "clientId")},
                                   {"clientSecret", text_of(cached, "clientSecret")},
                                   {"grantType", "refresh_token"},
                                   {"refreshToken", text_of(cached, "refreshToken")}}
                        .dump();
  auto answer = base::HttpClient(session.http())
                    .send({.method = "POST",
                           .url = session.endpoint("oidc", login.region).url + "/token",
                           .headers = {{"Content-Type", "application/json"}},
                           .body = std::as_bytes(std::span(body)),
                           .timeout = std::chrono::seconds(30)},
                          stop);
  if (answer.status >= 500 || answer.status == 429)
    base::fail(ErrorKind::transient, "IAM Identity Center does not renew the token now (status {})",
               answer.status);
  return answer;
}

/// Gets another access token for the refresh token, and keeps what came: a refresh token can be good for one
/// exchange only, and other programs live from the same file.
Secret renew(const Session& session, const SsoLogin& login, const base::Stop& stop) {
  // Before anything is exchanged: what could not be written then would be lost to all of them.
  auto place = replacement(session, login, stop);
  // Who had the lock until now may have renewed it.
  auto cached = cached_login(session, login);
  if (auto token = usable_token(session, login, cached)) return *std::move(token);
  const auto answer = exchange(session, login, cached, stop);
  if (answer.status != 200) {
    // Other programs know nothing of the lock: one may have been first.
    if (auto token = usable_token(session, login, cached_login(session, login))) return *std::move(token);
    ask_to_log_in(login, "the cached token has expired, and is not renewed: " + refusal_in(answer));
  }
  const auto given = nlohmann::json::parse(answer.body, nullptr, false);
  const auto token = given.is_object() ? text_of(given, "accessToken") : "";
  if (token.empty() || !given.contains("expiresIn") || !given["expiresIn"].is_number_integer())
    base::fail(ErrorKind::permanent, "IAM Identity Center did not answer with a token");
  const auto expires = session.now() + std::chrono::seconds(given["expiresIn"].get<int32_t>());
  cached["accessToken"] = token;
  cached["expiresAt"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(Clock::to_time_t(expires)));
  if (const auto next = text_of(given, "refreshToken"); !next.empty()) cached["refreshToken"] = next;
  const auto text = cached.dump();
  place.file.write(std::as_bytes(std::span(text)));
  place.file.finish();
  return Secret(token);
}

Secret access_token(const Session& session, const SsoLogin& login, const base::Stop& stop) {
  if (auto token = usable_token(session, login, cached_login(session, login))) return *std::move(token);
  return renew(session, login, stop);
}

Credentials role_credentials(const std::string& body) {
  const auto object = nlohmann::json::parse(body, nullptr, false);
  try {
    const auto& given = object.at("roleCredentials");
    return {.access_key_id = given.at("accessKeyId").get<std::string>(),
            .secret_access_key = Secret(given.at("secretAccessKey").get<std::string>()),
            .session_token = Secret(given.at("sessionToken").get<std::string>()),
            .expires = Clock::time_point(std::chrono::milliseconds(given.at("expiration").get<int64_t>()))};
  } catch (const nlohmann::json::exception&) {  // its text would show a part of the secret
    base::fail(ErrorKind::permanent, "IAM Identity Center did not answer with credentials");
  }
}

}  // namespace

std::optional<SsoLogin> sso_login(const Profiles& profiles, const std::string& profile,
                                  const Settings& settings) {
  if (!settings.contains("sso_account_id") && !settings.contains("sso_role_name")) return std::nullopt;
  auto merged = settings;
  const auto session = setting(settings, "sso_session");
  if (session) {
    const auto* shared = profiles.find_sso_session(*session);
    if (shared == nullptr)
      base::fail(ErrorKind::usage, "the AWS profile {} names a section [sso-session {}] that is not there",
                 profile, *session);
    merged.insert(shared->begin(), shared->end());
  }
  const auto need = [&](std::string_view name) {
    auto value = setting(merged, name);
    if (!value) base::fail(ErrorKind::usage, "the AWS profile {} lacks {}", profile, name);
    return *std::move(value);
  };
  return SsoLogin{.profile = profile,
                  .start_url = need("sso_start_url"),
                  .region = need("sso_region"),
                  .account_id = need("sso_account_id"),
                  .role_name = need("sso_role_name"),
                  .session_name = session.value_or("")};
}

Credentials sso_credentials(const Session& session, const SsoLogin& login, const base::Stop& stop) {
  const auto token = access_token(session, login, stop);
  const auto endpoint = session.endpoint("portal.sso", login.region);
  const auto answer =
      base::HttpClient(session.http())
          .send({.url = fmt::format("{}/federation/credentials?role_name={}&account_id={}", endpoint.url,
                                    uri_encode(login.role_name), uri_encode(login.account_id)),
                 .headers = {{"x-amz-sso_bearer_token", token.reveal()}},
                 .timeout = std::chrono::seconds(30)},
                stop);
  if (answer.status == 401) ask_to_log_in(login, "the cached token was refused");
  if (answer.status != 200)
    base::fail(answer.status >= 500 || answer.status == 429 ? ErrorKind::transient : ErrorKind::permanent,
               "IAM Identity Center gives no credentials for role {} in account {} (status {})",
               login.role_name, login.account_id, answer.status);
  return role_credentials(answer.body);
}

}  // namespace aws
