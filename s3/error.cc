#include "s3/error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "s3/keys.h"

namespace s3 {
namespace {

using base::ErrorKind;

template <size_t kCount>
bool contains(const std::array<std::string_view, kCount>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

constexpr std::array<std::string_view, 7> kTransientCodes{
    "InternalError",    "RequestTimeout",          "ServiceUnavailable",      "ConditionalRequestConflict",
    "OperationAborted", "RequestTimeoutException", "TooManyRequestsException"};
constexpr std::array kTransientStatuses{408, 429, 499, 500, 502, 503, 504, 509, 520};
constexpr std::array<std::string_view, 5> kExpired{"ExpiredToken", "ExpiredTokenException",
                                                   "TokenRefreshRequired", "RequestExpired", "InvalidToken"};

ErrorKind kind_of(int status, std::string_view code) {
  if (contains(kTransientCodes, code) || code.starts_with("Throttling") || code.starts_with("SlowDown"))
    return ErrorKind::transient;
  if (std::ranges::find(kTransientStatuses, status) != kTransientStatuses.end()) return ErrorKind::transient;
  // A success whose body says nothing we know: the server ended in the middle of its answer.
  if (status / 100 == 2 && (code.empty() || code == "200")) return ErrorKind::transient;
  return ErrorKind::permanent;
}

/// A redirection; a signature for another region; and a HEAD's answer to one of these, which has no body.
bool is_wrong_region(int status) { return status == 301 || status == 307 || status == 400 || status == 403; }

std::string hint_for(std::string_view code) {
  if (code == "AccessDenied" || code == "403")
    return "the credentials need s3:PutObject, s3:GetObject, s3:ListBucket, s3:AbortMultipartUpload, "
           "s3:ListMultipartUploadParts and s3:ListBucketMultipartUploads on this bucket (with KMS also "
           "kms:GenerateDataKey and kms:Decrypt, with --delete s3:DeleteObject)";
  if (code == "NoSuchBucket") return "make the bucket first, or check its name and the endpoint";
  if (code == "InvalidAccessKeyId") return "these credentials are not known at this endpoint";
  if (code == "SignatureDoesNotMatch") return "check the secret access key";
  if (contains(kExpired, code)) return "get new credentials, then run the same command again";
  if (code == "RequestTimeTooSkewed") return "this machine's clock is wrong";
  if (code == "QuotaExceeded") return "the bucket or its owner has no room left";
  return {};
}

}  // namespace

S3Error S3Error::from_answer(const base::HttpResponse& response, std::string_view what,
                             std::string_view asked_in) {
  pugi::xml_document document;
  std::string code;
  std::string message;
  std::string request_id(response.headers.get("x-amz-request-id"));
  std::string region(response.headers.get("x-amz-bucket-region"));
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const auto error = document.child("Error");
    code = error.child_value("Code");
    message = error.child_value("Message");
    if (request_id.empty()) request_id = error.child_value("RequestId");
    if (region.empty()) region = error.child_value("Region");
  }
  if (code.empty()) code = std::to_string(response.status);
  auto text = fmt::format("{}: the server answered {}", what, response.status);
  if (code != std::to_string(response.status)) text += " " + printable(code);
  if (!message.empty()) text += fmt::format(" \"{}\"", printable(message.substr(0, 300)));
  if (!request_id.empty()) text += fmt::format(" (request {})", printable(request_id));
  S3Error error(kind_of(response.status, code), text, response.status, code);
  if (region != asked_in && is_wrong_region(response.status)) error.region_ = std::move(region);
  error.server_date_ = response.headers.get("Date");
  if (const auto hint = hint_for(code); !hint.empty()) error.hint(hint);
  return error;
}

bool is_digest_mismatch(const S3Error& error) {
  return error.code() == "BadDigest" || error.code() == "XAmzContentSHA256Mismatch" ||
         error.code() == "XAmzContentChecksumMismatch" || error.code() == "InvalidDigest";
}

bool is_clock_skew(const S3Error& error) { return error.code() == "RequestTimeTooSkewed"; }

bool is_expired(const S3Error& error) { return contains(kExpired, error.code()); }

bool is_denied(const base::Error& error) {
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  return s3_error != nullptr && s3_error->status() == 403 &&
         (s3_error->code() == "AccessDenied" || s3_error->code() == "403");
}

bool is_no_such_upload(const base::Error& error) {
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  // Ceph says NoSuchKey when asked for the parts.
  return s3_error != nullptr && s3_error->status() == 404 &&
         (s3_error->code() == "NoSuchUpload" || s3_error->code() == "NoSuchKey");
}

bool is_conflict(const base::Error& error) {
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  return s3_error != nullptr && s3_error->code() == "ConditionalRequestConflict";
}

bool is_slow_down(const base::Error& error) {
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  return s3_error != nullptr &&
         (s3_error->status() == 503 || s3_error->status() == 429 ||
          s3_error->code().starts_with("SlowDown") || s3_error->code().starts_with("Throttling"));
}

bool ends_the_run(const base::Error& error) {
  static constexpr std::array<std::string_view, 8> kCodes{
      "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket",         "AccountProblem",
      "NotSignedUp",        "AllAccessDisabled",     "RequestTimeTooSkewed", "QuotaExceeded"};
  if (dynamic_cast<const JournalError*>(&error) != nullptr) return true;
  const auto* s3_error = dynamic_cast<const S3Error*>(&error);
  // What is no answer of the server at all (no connection, a stop) and was not cured by trying again.
  if (s3_error == nullptr)
    return error.kind() == ErrorKind::transient || error.kind() == ErrorKind::cancelled ||
           error.kind() == ErrorKind::usage;
  return s3_error->kind() == ErrorKind::transient || is_expired(*s3_error) || !s3_error->region().empty() ||
         contains(kCodes, s3_error->code());
}

}  // namespace s3
