#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/guarded.h"
#include "base/http.h"
#include "base/sha256.h"
#include "base/sink.h"

namespace aws {

/// Payload hashes that need no computing.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptyPayload =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Lower-case hex.
std::string sha256_hex(base::Bytes bytes);
std::string sha256_hex(std::string_view text);

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~ with upper-case hex, byte by byte; `keep_slash` as for an
/// object's key in a path.
std::string uri_encode(std::string_view text, bool keep_slash = false);
/// Turns %XX into its byte; "+" and malformed escapes stay.
std::string uri_decode(std::string_view text);

/// "20130524T000000Z", as in x-amz-date.
std::string amz_date(Clock::time_point time);

/// What is signed, for tests and for error messages of a server that disagrees. Holds no secret key, but may
/// hold a session token.
struct CanonicalRequest {
  std::string text;            ///< the canonical request as AWS describes it
  std::string signed_headers;  ///< "host;x-amz-date"
};

/// Whether a service that is not S3 refused a signature because its time is too far from the server's own.
bool is_for_its_time(std::string_view error_code, std::string_view error_message);

/// Signs requests with AWS Signature Version 4, from
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Thread-safe: the signing
/// key of the day is derived once and shared.
///
/// The service "s3" has rules of its own: the path is encoded once and not normalised, and the payload's hash
/// is also a header. The time is the caller's, who may know better than this machine's clock.
class Signer {
 public:
  Signer(std::string region, std::string service);

  const std::string& region() const { return region_; }
  const std::string& service() const { return service_; }

  /// Sets X-Amz-Date, X-Amz-Security-Token, for S3 X-Amz-Content-Sha256, and Authorization; what an earlier
  /// try set is replaced. Every other header is signed as it stands, except those that proxies and libcurl
  /// change. `payload_hash` is the body's SHA-256 in hex, or kUnsignedPayload. Host is the URL's unless a
  /// header says otherwise. Throws Error{usage} for a URL that is not http(s)://host/….
  void sign(base::HttpRequest& request, const Credentials& credentials, std::string_view payload_hash,
            Clock::time_point now) const;

  /// The URL with a signature in its query, valid for `lifetime` (S3: at most seven days). Only Host is
  /// signed besides. The result is a secret.
  Secret presign(std::string_view method, std::string_view url, const Credentials& credentials,
                 std::string_view payload_hash, std::chrono::seconds lifetime, Clock::time_point now) const;

  CanonicalRequest canonical_request(std::string_view method, std::string_view url,
                                     const base::HttpHeaders& headers, std::string_view payload_hash) const;

 private:
  struct Key {
    std::string date;
    Secret secret;
    std::shared_ptr<const base::HmacSha256> key;
  };
  std::string scope(std::string_view date) const;
  std::shared_ptr<const base::HmacSha256> signing_key(const Secret& secret, std::string_view date) const;
  std::string signature(const CanonicalRequest& canonical, const Secret& secret,
                        const std::string& time) const;

  std::string region_;
  std::string service_;
  mutable base::Guarded<Key> cached_;
};

}  // namespace aws
