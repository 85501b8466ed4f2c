#include "aws/secrets.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "aws/json_service.h"
#include "aws/session.h"
#include "base/error.h"

namespace aws {
namespace {

using base::ErrorKind;

/// arn:aws:secretsmanager:REGION:account:secret:name
std::optional<std::string> region_of_arn(std::string_view arn) {
  if (!arn.starts_with("arn:")) return std::nullopt;
  for (int skip = 0; skip < 3; ++skip) {
    const auto colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    arn.remove_prefix(colon + 1);
  }
  const auto region = arn.substr(0, arn.find(':'));
  if (region.empty()) return std::nullopt;
  return std::string(region);
}

[[noreturn]] void refuse(std::string_view what, const JsonAnswer& answer, std::string_view region,
                         std::string_view permission) {
  const auto& code = answer.error_code;
  base::Error error(ErrorKind::permanent, fmt::format("cannot read {}: {} {} (status {})", what, code,
                                                      answer.error_message, answer.status));
  if (code == "ResourceNotFoundException" || code == "ParameterNotFound" ||
      code == "ParameterVersionNotFound") {
    error = base::Error(ErrorKind::usage, fmt::format("there is no {} in {}", what, region),
                        "check its name, the region and the account");
  } else if (code == "InvalidRequestException" || code == "ValidationException" ||
             code == "InvalidParameterException") {
    error.kind(ErrorKind::usage);
  } else if (code == "AccessDeniedException") {
    error.hint(
        fmt::format("the caller's policy must allow {}, and kms:Decrypt for a key of its own", permission));
  } else if (code == "DecryptionFailure" || code == "InvalidKeyId") {
    error.hint("the caller's policy must allow kms:Decrypt with its key");
  } else if (code == "UnrecognizedClientException" || code == "InvalidSignatureException" ||
             code == "IncompleteSignature") {
    error.hint("check the access key and its secret");
  } else if (code == "ExpiredTokenException" || code == "ExpiredToken") {
    error.hint("the credentials have expired: log in again");
  }
  throw error;
}

/// A string member, which is a secret; nothing of the text gets into the error.
Secret member(const JsonAnswer& answer, std::string_view object_name, const char* name,
              std::string_view what) {
  const auto object = nlohmann::json::parse(answer.body.reveal(), nullptr, false);
  const auto* place = &object;
  if (!object_name.empty() && object.is_object() && object.contains(object_name))
    place = &object[object_name];
  if (place->is_object() && place->contains(name) && (*place)[name].is_string())
    return Secret((*place)[name].get<std::string>());
  if (place->is_object() && place->contains("SecretBinary"))
    base::fail(ErrorKind::usage, "{} is binary, not text", what);
  base::fail(ErrorKind::permanent, "the answer about {} has no value", what);
}

}  // namespace

Secret Secrets::secret(const std::string& id, const base::Stop& stop, const std::string& version_stage) {
  const auto what = fmt::format("secret {}", id);
  const auto region = region_of_arn(id).value_or(std::string());
  const auto used = region.empty() ? session_.region(stop) : region;
  const auto body = nlohmann::json{{"SecretId", id}, {"VersionStage", version_stage}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto answer =
      call_json_service(session_, "secretsmanager", used, "secretsmanager.GetSecretValue", body, stop);
  if (answer.status != 200) refuse(what, answer, used, "secretsmanager:GetSecretValue");
  return member(answer, {}, "SecretString", what);
}

Secret Secrets::parameter(const std::string& name, const base::Stop& stop) {
  const auto what = fmt::format("parameter {}", name);
  const auto region = region_of_arn(name).value_or(std::string());
  const auto used = region.empty() ? session_.region(stop) : region;
  const auto body = nlohmann::json{{"Name", name}, {"WithDecryption", true}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto answer = call_json_service(session_, "ssm", used, "AmazonSSM.GetParameter", body, stop);
  if (answer.status != 200) refuse(what, answer, used, "ssm:GetParameter");
  return member(answer, "Parameter", "Value", what);
}

}  // namespace aws
