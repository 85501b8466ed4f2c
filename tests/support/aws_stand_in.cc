#include "tests/support/aws_stand_in.h"

#include <ctime>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "aws/sigv4.h"

namespace support {
namespace {

using Json = nlohmann::json;
using std::chrono::system_clock;

struct Issued {
  std::string id, secret, token;
  system_clock::time_point expires;
  std::string expiration() const {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(system_clock::to_time_t(expires)));
  }
};

Issued issue(AwsState& state) {
  const auto number = ++state.issued;
  Issued issued{fmt::format("ASIAISSUED{}", number), fmt::format("issued-secret/{}", number),
                fmt::format("issued+token/{}==", number), system_clock::now() + state.lifetime};
  state.keys[issued.id] = {issued.secret, issued.token};
  return issued;
}

/// As the metadata services write it.
std::string metadata_json(const Issued& issued) {
  return Json{{"Code", "Success"},
              {"AccessKeyId", issued.id},
              {"SecretAccessKey", issued.secret},
              {"Token", issued.token},
              {"Expiration", issued.expiration()}}
      .dump();
}

HttpServerResponse json_error(const std::string& code, const std::string& message) {
  return {.status = 400, .body = Json{{"__type", "com.amazonaws#" + code}, {"message", message}}.dump()};
}

HttpServerResponse xml_error(int status, const std::string& code, const std::string& message) {
  return {.status = status,
          .body = fmt::format(
              "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
              "</ErrorResponse>",
              code, message)};
}

std::map<std::string, std::string> form_of(const std::string& body) {
  std::map<std::string, std::string> fields;
  for (size_t start = 0; start < body.size();) {
    const auto end = std::min(body.find('&', start), body.size());
    const auto field = body.substr(start, end - start);
    const auto equals = field.find('=');
    fields[field.substr(0, equals)] = aws::uri_decode(field.substr(equals + 1));
    start = end + 1;
  }
  return fields;
}

std::string objection(const AwsState& state, const HttpServerRequest& request, std::string_view service) {
  const std::string authorization(request.headers.get("Authorization"));
  for (const auto& id : state.expired)
    if (authorization.find("Credential=" + id + "/") != std::string::npos)
      return "ExpiredTokenException the token has expired";
  auto text = signature_objection(request, state.keys, state.region, service,
                                  system_clock::now() + state.clock_ahead);
  if (text.starts_with("Request") || text.starts_with("SignatureDoes")) {
    const std::string code = service == "sts" ? "SignatureDoesNotMatch" : "InvalidSignatureException";
    text = code + text.substr(text.find(' '));
  }
  return text;
}

HttpServerResponse assume_role(AwsState& state, const HttpServerRequest& request) {
  auto form = form_of(request.body);
  const bool web = form["Action"] == "AssumeRoleWithWebIdentity";
  if (!web) {
    const auto why = objection(state, request, "sts");
    if (!why.empty()) return xml_error(403, why.substr(0, why.find(' ')), why);
  } else if (form["WebIdentityToken"] != state.identity_token) {
    return xml_error(400, "InvalidIdentityToken", "not the token");
  }
  if (!state.roles.contains(form["RoleArn"]) || form["ExternalId"] != state.external_id ||
      form["RoleSessionName"].empty() || form["Version"] != "2011-06-15")
    return xml_error(403, "AccessDenied", "not authorized to assume it");
  const auto issued = issue(state);
  return {
      .headers = {{"Content-Type", "text/xml"}},
      .body = fmt::format("<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>"
                          "<Credentials><AccessKeyId>{1}</AccessKeyId><SecretAccessKey>{2}</SecretAccessKey>"
                          "<SessionToken>{3}</SessionToken><Expiration>{4}</Expiration></Credentials>"
                          "</{0}Result></{0}Response>",
                          form["Action"], issued.id, issued.secret, issued.token, issued.expiration())};
}

HttpServerResponse secret_value(AwsState& state, const HttpServerRequest& request) {
  if (const auto why = objection(state, request, "secretsmanager"); !why.empty())
    return json_error(why.substr(0, why.find(' ')), why.substr(why.find(' ') + 1));
  const auto wanted = Json::parse(request.body);
  const std::string stage = wanted.value("VersionStage", "AWSCURRENT");
  const auto& secrets = stage == "AWSPREVIOUS" ? state.previous_secrets : state.secrets;
  const auto found = secrets.find(wanted.at("SecretId"));
  const bool is_label = stage == "AWSCURRENT" || stage == "AWSPREVIOUS";
  if (!is_label || found == secrets.end())
    return json_error("ResourceNotFoundException", "can't find the value for staging label: " + stage);
  const auto* member = found->second.starts_with("binary:") ? "SecretBinary" : "SecretString";
  return {.body = Json{{"Name", found->first}, {member, found->second}}.dump()};
}

HttpServerResponse parameter_value(AwsState& state, const HttpServerRequest& request) {
  if (const auto why = objection(state, request, "ssm"); !why.empty())
    return json_error(why.substr(0, why.find(' ')), why.substr(why.find(' ') + 1));
  const auto wanted = Json::parse(request.body);
  const auto found = state.parameters.find(wanted.at("Name"));
  if (found == state.parameters.end()) return json_error("ParameterNotFound", "");
  const std::string value = wanted.at("WithDecryption") == true ? found->second : "(encrypted)";
  return {
      .body =
          Json{{"Parameter", {{"Name", found->first}, {"Type", "SecureString"}, {"Value", value}}}}.dump()};
}

HttpServerResponse instance_metadata(AwsState& state, const HttpServerRequest& request) {
  if (request.method == "PUT" && request.target == "/latest/api/token") {
    const bool has_life = request.headers.find("X-aws-ec2-metadata-token-ttl-seconds") != nullptr;
    return {.status = has_life ? 200 : 400, .body = "metadata-token"};
  }
  if (request.headers.get("X-aws-ec2-metadata-token") != "metadata-token") return {.status = 401};
  if (request.target == "/latest/meta-data/placement/region") return {.body = state.region};
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  if (state.instance_role.empty()) return {.status = 404};
  if (request.target == roles) return {.body = state.instance_role + "\n"};
  if (request.target == roles + state.instance_role) return {.body = metadata_json(issue(state))};
  return {.status = 404};
}

HttpServerResponse sso(AwsState& state, const HttpServerRequest& request) {
  if (request.headers.get("x-amz-sso_bearer_token") != state.sso_token) return {.status = 401};
  if (request.query() != "role_name=Admin%20Role&account_id=123456789012") return {.status = 404};
  const auto issued = issue(state);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(issued.expires.time_since_epoch()).count();
  return {.body = Json{{"roleCredentials",
                        {{"accessKeyId", issued.id},
                         {"secretAccessKey", issued.secret},
                         {"sessionToken", issued.token},
                         {"expiration", milliseconds}}}}
                      .dump()};
}

/// Another access token, and another refresh token.
HttpServerResponse sso_tokens(AwsState& state, const HttpServerRequest& request) {
  const auto refuse = [](const char* code) {
    return HttpServerResponse{.status = 400, .body = Json{{"error", code}}.dump()};
  };
  if (state.before_exchange) state.before_exchange(state);
  const auto asked = Json::parse(request.body);
  if (request.headers.get("Content-Type") != "application/json" || asked.at("grantType") != "refresh_token")
    return refuse("invalid_request");
  if (asked.at("clientId") != "client" || asked.at("clientSecret") != "client-secret")
    return refuse("invalid_client");
  if (state.sso_refresh_token.empty() || asked.at("refreshToken") != state.sso_refresh_token)
    return refuse("invalid_grant");
  state.sso_token += "+";
  state.sso_refresh_token += "+";
  return {.body = Json{{"accessToken", state.sso_token},
                       {"refreshToken", state.sso_refresh_token},
                       {"tokenType", "Bearer"},
                       {"expiresIn", state.lifetime.count()}}
                      .dump()};
}

}  // namespace

AwsStandIn::AwsStandIn(HttpServerOptions options)
    : server_([this](const HttpServerRequest& request) { return answer(request); }, std::move(options)) {}

HttpServerResponse AwsStandIn::answer(const HttpServerRequest& request) {
  auto state = state_.lock();
  if (state->failures > 0) {
    --state->failures;
    return {.status = 503};
  }
  HttpServerResponse response{.status = 404};
  const auto target = request.headers.get("X-Amz-Target");
  if (request.target.starts_with("/latest/")) response = instance_metadata(*state, request);
  if (request.target.starts_with("/federation/credentials?")) response = sso(*state, request);
  if (request.target == "/token" && request.method == "POST") response = sso_tokens(*state, request);
  if (request.target == "/container")
    response = request.headers.get("Authorization") == state->container_token
                   ? HttpServerResponse{.body = metadata_json(issue(*state))}
                   : HttpServerResponse{.status = 401};
  if (request.target == "/" && target == "secretsmanager.GetSecretValue")
    response = secret_value(*state, request);
  if (request.target == "/" && target == "AmazonSSM.GetParameter")
    response = parameter_value(*state, request);
  if (request.target == "/" && request.body.starts_with("Action=AssumeRole"))
    response = assume_role(*state, request);
  const auto now = system_clock::to_time_t(system_clock::now() + state->clock_ahead);
  response.headers.add("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(now)));
  return response;
}

}  // namespace support
