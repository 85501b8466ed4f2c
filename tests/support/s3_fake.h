#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/guarded.h"
#include "s3/checksum.h"
#include "tests/support/http_server.h"
#include "tests/support/signature_check.h"

namespace support {

/// What is different about one server.
struct S3FakeOptions {
  bool checks_crc = true;  ///< else x-amz-checksum-… is ignored, as older servers do
  /// Of those, which it knows.
  std::set<s3::Integrity> crcs = {s3::Integrity::crc64nvme, s3::Integrity::crc32c, s3::Integrity::crc32};
  bool checks_part_crc = true;          ///< else it is ignored with a part, as checks_crc says
  bool is_kms = false;                  ///< the bucket's default: no ETag is an MD5
  bool encrypts = true;                 ///< as it is asked to; else it passes over that
  bool checks_md5 = true;               ///< else Content-MD5 is ignored, too
  bool honours_conditions = true;       ///< If-None-Match and If-Match on what makes an object
  bool quotes_match = true;             ///< the ETag of an If-Match; Ceph compares the bare one
  bool takes_match = true;              ///< else every If-Match is refused
  bool lists_plus = false;              ///< for a space in a key of a listing, as in a form
  bool names_encoding = true;           ///< of unfinished uploads' keys; Ceph encodes and does not say so
  bool lists_ascii_only = false;        ///< unfinished uploads' keys have U+FFFD for all else
  bool complete_names_etag = true;      ///< in the answer to CompleteMultipartUpload
  bool versioned = false;               ///< what is replaced or deleted without its version stays
  bool requester_pays = false;          ///< who does not agree to that is refused
  size_t page = 1000;                   ///< entries of a listing, at most
  std::chrono::seconds clock_ahead{0};  ///< how far its clock is ahead of ours
  std::string region = "us-east-1";
  std::optional<Certificate> certificate = {};  ///< serves https
};

/// An S3 server in memory, strict where servers in the field are: every signature, checksum, part and
/// condition is checked. It has one bucket, "bucket", and one key pair. Thread-safe.
class S3Fake {
 public:
  static constexpr const char* kAccessKey = "AKFAKE";
  static constexpr const char* kSecretKey = "fake/secret+key";

  struct Object {
    std::string content;
    std::string etag;
    std::map<std::string, std::string> headers;  ///< lower-case names: content-type, x-amz-meta-…, checksums
    std::string version = {};                    ///< empty in a bucket without versions
  };
  /// What happens instead of the usual. `operation` is S3's name: "PutObject", "UploadPart", … What belongs
  /// to the multipart upload of the probe has a name of its own, here and in count(): "ProbeUploadPart", …
  struct Fault {
    std::string operation;
    HttpServerResponse answer = {};
    bool takes_effect = false;  ///< the request is carried out all the same
    int times = 1;
    int after = 0;  ///< so many requests of this operation go well first
    /// Called when the fault happens, before anything else.
    std::function<void()> also = {};
    /// The usual answer, changed. Instead of `answer`.
    std::function<void(HttpServerResponse&)> change = {};
    /// The connection is reset when so much of the request's body has come. Instead of `answer`.
    std::optional<size_t> reset_in_body = {};
  };

  explicit S3Fake(S3FakeOptions options = {});

  std::string url() const { return server_->url(); }
  void fail(Fault fault);
  /// No fault that was asked for happens any more.
  void forgive();
  /// An answer with an S3 error in its body.
  static HttpServerResponse error(int status, const std::string& code);
  /// What was accepted so far has expired; from now on it is this.
  void replace_key(const std::string& id, AccessKey key);

  std::map<std::string, Object> objects() const;
  void put(const std::string& key, const std::string& content);
  void erase(const std::string& key);
  /// Of a versioned bucket: how many there are of all keys, those included that mark a deletion.
  size_t versions() const;
  /// Unfinished multipart uploads.
  size_t uploads() const;
  void abort_uploads();
  /// Requests of an operation that were answered, faults included.
  int count(const std::string& operation) const;
  int total() const;
  void reset_counts();
  int connections() const { return server_->connections(); }
  void wait_until_idle() const { server_->wait_until_idle(); }
  /// Bytes of the bodies of PutObject and UploadPart.
  uint64_t bytes_received() const;
  /// What came once more since reset_counts() although it was there: "KEY" of an object with this content,
  /// "KEY, part 3" of a part that was accepted, in whichever upload.
  std::vector<std::string> sent_again() const;

 private:
  struct Upload {
    std::string key;
    std::map<std::string, std::string> headers;
    std::map<int, Object> parts;
    std::string initiated;
  };
  struct Version {
    std::string id;
    std::optional<Object> object;  ///< nothing: it marks a deletion
  };
  struct State {
    std::map<std::string, Object> objects;
    std::map<std::string, std::vector<Version>> versions;  // of a versioned bucket, the current one last
    int next_version = 1;
    std::map<std::string, Upload> uploads;
    std::vector<Fault> faults;
    std::map<std::string, int> counts;
    std::set<std::tuple<std::string, int, std::string>> parts_taken;  // key, number, ETag
    std::vector<std::string> again;
    AccessKeys keys{{kAccessKey, AccessKey{kSecretKey}}};
    std::set<std::string> expired;
    uint64_t bytes = 0;
    int next_upload = 1;
  };
  using Query = std::map<std::string, std::string>;

  HttpServerResponse answer(const HttpServerRequest& request);
  std::optional<HttpServerResponse> reset_in_body(const HttpServerRequest& head);
  /// The fault that is due, and counts the request; faults in the request's body come before all others.
  std::optional<Fault> next_fault(const std::string& operation, bool in_body);
  std::optional<HttpServerResponse> refuse(const HttpServerRequest& request) const;
  HttpServerResponse carry_out(const std::string& operation, const HttpServerRequest& request,
                               const std::string& key, const Query& query);
  HttpServerResponse put_object(State& state, const HttpServerRequest& request, const std::string& key) const;
  HttpServerResponse upload_part(State& state, const HttpServerRequest& request, const Query& query) const;
  HttpServerResponse complete(State& state, const HttpServerRequest& request, const Query& query) const;
  /// Makes the object the current one of the key, or with nothing deletes that. Returns its version.
  std::string store(State& state, const std::string& key, std::optional<Object> object) const;
  static void delete_version(State& state, const std::string& key, const std::string& version);
  /// That of what arrived.
  std::string etag_of(const std::string& content, const std::map<std::string, std::string>& headers) const;
  HttpServerResponse list_parts(State& state, const Query& query) const;
  HttpServerResponse list_objects(State& state, const Query& query) const;
  HttpServerResponse list_uploads(const State& state, const Query& query) const;
  HttpServerResponse delete_objects(State& state, const HttpServerRequest& request) const;
  std::optional<HttpServerResponse> check_conditions(const State& state, const HttpServerRequest& request,
                                                     const std::string& key) const;
  std::optional<HttpServerResponse> check_body(const HttpServerRequest& request) const;

  S3FakeOptions options_;
  mutable base::Guarded<State> state_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace support
