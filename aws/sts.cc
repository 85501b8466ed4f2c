#include "aws/sts.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/sigv4.h"
#include "aws/timestamp.h"
#include "base/error.h"

namespace aws {
namespace {

using base::ErrorKind;

class Form {
 public:
  Form(std::string_view action, const Role& role, Clock::time_point now) {
    add("Action", action).add("Version", "2011-06-15").add("RoleArn", role.arn);
    add("RoleSessionName",
        role.session_name.empty() ? fmt::format("cutover-{}", Clock::to_time_t(now)) : role.session_name);
    if (role.external_id) add("ExternalId", role.external_id->reveal());
    if (role.duration) add("DurationSeconds", std::to_string(role.duration->count()));
  }
  Form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_.append(name).append(1, '=').append(uri_encode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool may_pass(int status, std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes{"Throttling", "ThrottlingException",
                                                   "RequestLimitExceeded", "IDPCommunicationError",
                                                   "PriorRequestNotComplete"};
  return status >= 500 || status == 429 || std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

base::HttpRequest post(const Endpoint& endpoint, const std::string& form) {
  return {.method = "POST",
          .url = endpoint.url + "/",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
          .body = std::as_bytes(std::span(form)),
          .timeout = std::chrono::seconds(30)};
}

std::string_view hint_for(std::string_view code) {
  if (code == "AccessDenied")
    return "the role's trust policy must allow the caller, and the caller's policy sts:AssumeRole on it";
  if (code == "ExpiredToken" || code == "ExpiredTokenException") return "log in again";
  if (code == "SignatureDoesNotMatch") return "check the secret access key, and this machine's clock";
  if (code == "InvalidIdentityToken" || code == "IDPRejectedClaim")
    return "the role's trust policy must allow the identity provider of the token";
  return "";
}

}  // namespace

Sts::Answer Sts::send(const base::HttpRequest& request, const base::Stop& stop) const {
  const auto response = base::HttpClient(http_).send(request, stop);
  Answer answer{.status = response.status, .time = base::parse_http_date(response.headers.get("Date"))};
  answer.document.load_string(response.body.c_str());
  if (answer.status != 200) {
    const auto error = answer.document.child("ErrorResponse").child("Error");
    answer.error_code = error.child_value("Code");
    answer.error_message = error.child_value("Message");
  }
  return answer;
}

Credentials Sts::credentials_of(const Answer& answer, const std::string& action, const Role& role) {
  if (answer.status != 200)
    throw base::Error(
        may_pass(answer.status, answer.error_code) ? ErrorKind::transient : ErrorKind::permanent,
        fmt::format("STS does not let us become the role {}: {} {} (status {})", role.arn, answer.error_code,
                    answer.error_message, answer.status),
        std::string(hint_for(answer.error_code)));
  const auto given = answer.document.child((action + "Response").c_str())
                         .child((action + "Result").c_str())
                         .child("Credentials");
  Credentials credentials{.access_key_id = given.child_value("AccessKeyId"),
                          .secret_access_key = Secret(given.child_value("SecretAccessKey")),
                          .session_token = Secret(given.child_value("SessionToken")),
                          .expires = parse_timestamp(given.child_value("Expiration"))};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() || !credentials.expires)
    base::fail(ErrorKind::transient, "STS answered without credentials for the role {}", role.arn);
  return credentials;
}

Credentials Sts::assume_role(const Role& role, const Credentials& caller, Clock::time_point now,
                             const base::Stop& stop) const {
  const Form form("AssumeRole", role, now);
  auto request = post(endpoint_, form.text());
  const Signer signer(endpoint_.region, "sts");
  const auto ask = [&](Clock::time_point time) {
    signer.sign(request, caller, sha256_hex(form.text()), time);
    return send(request, stop);
  };
  auto answer = ask(now);
  if (answer.time && is_for_its_time(answer.error_code, answer.error_message)) answer = ask(*answer.time);
  return credentials_of(answer, "AssumeRole", role);
}

Credentials Sts::assume_role_with_web_identity(const Role& role, const Secret& token, Clock::time_point now,
                                               const base::Stop& stop) const {
  Form form("AssumeRoleWithWebIdentity", role, now);
  form.add("WebIdentityToken", token.reveal());
  return credentials_of(send(post(endpoint_, form.text()), stop), "AssumeRoleWithWebIdentity", role);
}

}  // namespace aws
