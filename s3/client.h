#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
#include "base/http.h"
#include "base/stop.h"
#include "s3/checksum.h"
#include "s3/error.h"

namespace s3 {

/// Where a bucket is reached.
struct Endpoint {
  /// What stands in front of "/KEY": "https://bucket.s3.eu-central-1.amazonaws.com",
  /// "http://host:9000/bucket".
  std::string url;
  /// What tells this server from others in a journal: "aws" in every region, else the URL without the bucket.
  std::string name;
  std::string region = "us-east-1";
  std::string bucket;
  bool requester_pays = false;

  bool is_https() const { return url.starts_with("https://"); }
};

/// The current credentials; `refused`, if any, were not accepted any more. Thread-safe; may block.
using CredentialSource = std::function<aws::Credentials(const aws::Credentials* refused)>;

/// What all clients of a run share. Thread-safe.
class Session {
 public:
  Session(Endpoint endpoint, CredentialSource credentials, std::shared_ptr<base::HttpShare> http);

  const Endpoint& endpoint() const { return endpoint_; }
  const aws::Signer& signer() const { return signer_; }
  const std::shared_ptr<base::HttpShare>& http() const { return http_; }
  aws::Credentials credentials(const aws::Credentials* refused = nullptr) const {
    return credentials_(refused);
  }
  /// How far the server's clock is ahead, in seconds, as far as it is known.
  int64_t clock_offset() const { return offset_s_.load(std::memory_order_relaxed); }
  /// The server's time, as far as it is known.
  aws::Clock::time_point now() const { return aws::Clock::now() + std::chrono::seconds(clock_offset()); }
  /// Corrects the offset by a Date header; false when it holds no date or `used`, the offset that the
  /// refused request was signed with, was right already. Others may have learned the same meanwhile.
  bool learn_time(std::string_view date, int64_t used);
  void count_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }

 private:
  Endpoint endpoint_;
  aws::Signer signer_;
  CredentialSource credentials_;
  std::shared_ptr<base::HttpShare> http_;
  std::atomic<int64_t> offset_s_{0};
  std::atomic<uint64_t> requests_{0};
};

/// The checksum of a body, that the server is to check.
struct BodySum {
  Integrity integrity = Integrity::md5;
  std::string checksum;  ///< raw
};

struct PutResult {
  std::string etag;
  std::string version;
  std::string encryption;  ///< "AES256", "aws:kms"; empty where the server does not say
  bool is_kms = false;     ///< its ETag is no MD5
};

struct CompletedPart {
  uint32_t number = 0;
  std::string etag;
  std::string checksum;  ///< raw
};

struct CompleteResult {
  std::string etag;     ///< may be empty: some servers do not say
  std::string version;  ///< likewise
};

struct ListedPart {
  uint32_t number = 0;
  uint64_t size = 0;
  std::string etag;
  std::vector<BodySum> checksums;  ///< that the server keeps
};
struct PartsPage {
  std::vector<ListedPart> parts;
  std::string next_marker;  ///< empty on the last page
};

struct ListedObject {
  std::string key;
  uint64_t size = 0;
  std::string etag;
};
struct ObjectsPage {
  std::vector<ListedObject> objects;
  std::string next_token;  ///< empty on the last page
};

struct ListedUpload {
  std::string key;
  std::string upload_id;
  std::string initiated = {};  ///< ISO 8601; empty where the server does not say
};

struct UploadsPage {
  std::vector<ListedUpload> uploads;
  std::string next_key;  ///< empty on the last page
  std::string next_upload_id;
};

struct Head {
  uint64_t size = 0;
  std::string etag;
  std::string version;
  std::string encryption;  ///< as in PutResult
  bool is_kms = false;     ///< its ETag is no MD5
  /// Checksums of the whole content that the server keeps, raw.
  std::vector<BodySum> checksums;
  base::HttpHeaders headers;
};

struct DeleteFailure {
  std::string key;
  std::string why;
};

/// S3's calls, one method each, without policy: no retry, no paging. One thread at a time. Every method
/// throws S3Error for an answer that is not success, base::Error as HttpClient::send() does, and
/// S3Error{transient} for an answer that cannot be understood. ETags come without quotes.
class Client {
 public:
  Client(std::shared_ptr<Session> session, base::Stop stop);

  Session& session() const { return *session_; }
  /// The last answer refused the request's time and says which it is: true when a new signature may help.
  bool learn_time(std::string_view date) const { return session_->learn_time(date, used_offset_); }
  /// The last answer refused the credentials: others are fetched.
  void refresh_credentials() const { session_->credentials(&used_); }

  /// The region the server names, or empty.
  std::string head_bucket();
  /// `headers` are those of the object: Content-Type, x-amz-storage-class, x-amz-meta-…
  PutResult put_object(std::string_view key, base::Bytes body, const BodySum& sum,
                       const base::HttpHeaders& headers);
  std::string create_multipart_upload(std::string_view key, Integrity integrity,
                                      const base::HttpHeaders& headers);
  /// Returns the part's ETag.
  std::string upload_part(std::string_view key, std::string_view upload_id, uint32_t number, base::Bytes body,
                          const BodySum& sum);
  /// `sum` is that of the whole content, and only sent when it is a CRC. Throws S3Error{transient} for a
  /// success that says nothing, too: whether the object was made is then to be looked up. `conditions` are
  /// If-Match or If-None-Match.
  CompleteResult complete_multipart_upload(std::string_view key, std::string_view upload_id,
                                           const std::vector<CompletedPart>& parts, const BodySum& sum,
                                           uint64_t size, const base::HttpHeaders& conditions = {});
  /// An upload that is not there is no error.
  void abort_multipart_upload(std::string_view key, std::string_view upload_id);
  PartsPage list_parts(std::string_view key, std::string_view upload_id, std::string_view marker);
  /// Unfinished uploads under a prefix, those behind `key` and `upload_id`.
  UploadsPage list_multipart_uploads(std::string_view prefix, std::string_view key = {},
                                     std::string_view upload_id = {});
  ObjectsPage list_objects(std::string_view prefix, std::string_view token, unsigned max_keys = 1000);
  /// Nothing when there is no such object.
  std::optional<Head> head_object(std::string_view key);
  void get_object(std::string_view key, base::ByteSink& sink);
  void delete_object(std::string_view key, std::string_view version = {});
  /// At most 1,000 keys.
  std::vector<DeleteFailure> delete_objects(const std::vector<std::string>& keys);

 private:
  using Query = std::vector<std::pair<std::string, std::string>>;
  base::HttpRequest request(std::string method, std::string_view key, const Query& query = {}) const;
  struct Answer {
    base::HttpResponse response;
    std::optional<S3Error> refusal;  ///< unless it is 2xx
  };
  Answer send(base::HttpRequest& request, std::string_view payload_hash, std::string_view what);
  /// As send(); a refusal is thrown.
  base::HttpResponse call(base::HttpRequest& request, std::string_view payload_hash, std::string_view what);
  std::string add_body(base::HttpRequest& request, base::Bytes body, const BodySum& sum) const;
  std::string describe(std::string_view action, std::string_view key) const;

  std::shared_ptr<Session> session_;
  base::Stop stop_;
  base::HttpClient http_;
  aws::Credentials used_;    // by the last request
  int64_t used_offset_ = 0;  // likewise
  bool fresh_connection_ = false;
};

}  // namespace s3
