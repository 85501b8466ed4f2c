#include "s3/error.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/s3_fake.h"

namespace s3 {
namespace {

/// What becomes of a request that was answered like this.
enum class Decision {
  again,        ///< after a pause, on a fresh connection
  slower,       ///< likewise, and with fewer at once
  clock,        ///< once more, signed with the server's time
  credentials,  ///< once more, with others
  content,      ///< once more, read again
  never,
};

struct Answer {
  int status;
  const char* code;  ///< empty: an answer without a body
  Decision decision;
};

void PrintTo(const Answer& answer, std::ostream* out) { *out << answer.status << " " << answer.code; }

Decision decision_on(const S3Error& error) {
  if (error.kind() == base::ErrorKind::transient)
    return is_slow_down(error) ? Decision::slower : Decision::again;
  EXPECT_EQ(error.kind(), base::ErrorKind::permanent);
  if (is_clock_skew(error)) return Decision::clock;
  if (is_expired(error)) return Decision::credentials;
  return is_digest_mismatch(error) ? Decision::content : Decision::never;
}

class Answers : public ::testing::TestWithParam<Answer> {};

TEST_P(Answers, AreTriedAgainOrNot) {
  const auto& [status, code, decision] = GetParam();
  auto made = support::S3Fake::error(status, code);
  if (*code == '\0') made.body.clear();
  const base::HttpResponse response{.status = status, .headers = made.headers, .body = made.body};
  const auto error = S3Error::from_answer(response, "PUT s3://bucket/key", "us-east-1");
  EXPECT_EQ(decision_on(error), decision);
  EXPECT_EQ(error.status(), status);
  EXPECT_EQ(error.code(), *code == '\0' ? std::to_string(status) : code);
  EXPECT_THAT(error.message(), ::testing::StartsWith("PUT s3://bucket/key: the server answered"));
}

INSTANTIATE_TEST_SUITE_P(Table, Answers,
                         ::testing::ValuesIn(std::vector<Answer>{
                             {408, "", Decision::again},
                             {429, "", Decision::slower},
                             {499, "", Decision::again},
                             {500, "", Decision::again},
                             {502, "", Decision::again},
                             {503, "", Decision::slower},
                             {504, "", Decision::again},
                             {509, "", Decision::again},
                             {520, "", Decision::again},
                             {500, "InternalError", Decision::again},
                             {200, "InternalError", Decision::again},
                             {400, "RequestTimeout", Decision::again},
                             {400, "RequestTimeoutException", Decision::again},
                             {503, "SlowDown", Decision::slower},
                             {400, "SlowDownRead", Decision::slower},
                             {400, "Throttling", Decision::slower},
                             {400, "ThrottlingException", Decision::slower},
                             {429, "TooManyRequestsException", Decision::slower},
                             {503, "ServiceUnavailable", Decision::slower},
                             {409, "OperationAborted", Decision::again},
                             {409, "ConditionalRequestConflict", Decision::again},
                             {403, "RequestTimeTooSkewed", Decision::clock},
                             {400, "ExpiredToken", Decision::credentials},
                             {400, "ExpiredTokenException", Decision::credentials},
                             {400, "TokenRefreshRequired", Decision::credentials},
                             {400, "BadDigest", Decision::content},
                             {400, "InvalidDigest", Decision::content},
                             {400, "XAmzContentSHA256Mismatch", Decision::content},
                             {400, "XAmzContentChecksumMismatch", Decision::content},
                             {400, "", Decision::never},
                             {400, "InvalidRequest", Decision::never},
                             {400, "EntityTooLarge", Decision::never},
                             {401, "", Decision::never},
                             {403, "", Decision::never},
                             {403, "AccessDenied", Decision::never},
                             {403, "SignatureDoesNotMatch", Decision::never},
                             {403, "InvalidAccessKeyId", Decision::never},
                             {404, "", Decision::never},
                             {404, "NoSuchBucket", Decision::never},
                             {404, "NoSuchUpload", Decision::never},
                             {405, "MethodNotAllowed", Decision::never},
                             {409, "BucketNotEmpty", Decision::never},
                             {411, "MissingContentLength", Decision::never},
                             {412, "PreconditionFailed", Decision::never},
                             {301, "PermanentRedirect", Decision::never},
                             {501, "NotImplemented", Decision::never},
                             {507, "QuotaExceeded", Decision::never},
                         }));

}  // namespace
}  // namespace s3
