#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/http.h"

namespace s3 {

/// What a server answered instead of doing what it was asked for. Its kind is transient when the same request
/// may succeed later; what is to be mended before it is sent again is said by the code:
///   BadDigest, XAmzContentChecksumMismatch   what arrived is not what was sent
///   RequestTimeTooSkewed                     the clock; the server's own is in server_date()
///   ExpiredToken and the like                the credentials
class S3Error : public base::Error {
 public:
  S3Error(base::ErrorKind kind, const std::string& message, int status, std::string code)
      : Error(kind, message), status_(status), code_(std::move(code)) {}

  /// The HTTP status; 200 when an error came with one, as from CompleteMultipartUpload.
  int status() const { return status_; }
  /// "NoSuchUpload"; "404" and so on when the answer had no body that says it.
  const std::string& code() const { return code_; }
  /// The region that the bucket is in, if the server named another one than it was asked in; else empty.
  const std::string& region() const { return region_; }
  const std::string& server_date() const { return server_date_; }
  /// The answer had no code of S3's: it may be a proxy's.
  bool is_bare() const { return code_ == std::to_string(status_); }

  /// The error that an answer stands for; `what` is what was asked for: "PUT s3://bucket/key", and `region`
  /// where.
  static S3Error from_answer(const base::HttpResponse& response, std::string_view what,
                             std::string_view region);

 private:
  int status_;
  std::string code_;
  std::string region_;
  std::string server_date_;
};

/// The journal cannot be written: what is uploaded from now on would be forgotten.
class JournalError : public base::Error {
 public:
  explicit JournalError(const base::Error& why) : Error(why) {}
};

bool is_digest_mismatch(const S3Error& error);
bool is_clock_skew(const S3Error& error);
bool is_expired(const S3Error& error);
/// The credentials lack a right.
bool is_denied(const base::Error& error);
/// The multipart upload is not there: completed, or aborted.
bool is_no_such_upload(const base::Error& error);
/// Objects were written at the same time: what was begun is to be done anew.
bool is_conflict(const base::Error& error);
/// The server wants fewer requests.
bool is_slow_down(const base::Error& error);
/// Every other file would fail in the same way: keys, clock, bucket, quota, journal. The run ends at once.
bool ends_the_run(const base::Error& error);

}  // namespace s3
