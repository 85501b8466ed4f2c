#include "s3/probe.h"

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/crash_point.h"
#include "base/sink.h"
#include "base/text.h"
#include "s3/keys.h"

namespace s3 {
namespace {

using base::bytes_of;
using base::ErrorKind;

constexpr std::string_view kProbe = ".cutover-probe-";
constexpr int kPreconditionFailed = 412;
constexpr std::string_view kContent = "written by cutover to see what this server checks; may be deleted\n";
constexpr std::string_view kOther = "another content, whose checksum is sent along as a wrong one";

BodySum sum_of(Integrity integrity, std::string_view content) {
  return {integrity, checksum(integrity, bytes_of(content))};
}

/// The server's last word: what was asked for has not happened.
bool is_refusal(const base::Error& error) {
  return dynamic_cast<const S3Error*>(&error) != nullptr && error.kind() != ErrorKind::transient;
}

/// The temporary object, and what is tried with it.
class Probe {
 public:
  Probe(Client& client, const Retries& retries, const std::string& prefix, const base::HttpHeaders& headers,
        UploadJournal& journal)
      : client_(client),
        retries_(retries),
        headers_(headers),
        journal_(journal),
        name_(std::string(kProbe) + base::random_id()),
        key_(prefix + name_) {
    if (key_.size() > kLongestKey)
      throw base::Error(ErrorKind::usage, fmt::format("the prefix {} leaves no room for a name", prefix),
                        fmt::format("a key has {} bytes: choose a shorter prefix", kLongestKey));
    journal_.record_intended(name_, 0);  // nobody else has such a name, at any time
  }

  /// A PUT with a wrong checksum is refused, and one with the right one is not.
  bool checks(Integrity integrity) {
    return !put(sum_of(integrity, kOther), headers_) && put(sum_of(integrity, kContent), headers_);
  }

  /// The same of a part. Under KMS the upload is also completed: that needs a right which a PUT does not.
  bool checks_parts(Integrity integrity) {
    std::string id;
    is_open_ = true;
    if (!accepts([&] { id = client_.create_multipart_upload(key_, integrity, headers_); })) {
      is_open_ = false;
      return false;
    }
    base::crash_point("s3_probe.created");
    try {
      std::string etag;
      const auto send = [&](const BodySum& sum) {
        return accepts([&] { etag = client_.upload_part(key_, id, 1, bytes_of(kContent), sum); });
      };
      const bool checks = !send(sum_of(integrity, kOther)) && send(sum_of(integrity, kContent));
      if (checks && is_kms_) {
        complete(id, integrity, etag);
        is_open_ = false;
      } else {
        abort(id);
      }
      return checks;
    } catch (base::Error& error) {
      if (!is_refusal(error)) throw;
      abort(id);
      if (is_kms_ && is_denied(error))
        error.hint(
            "uploads in parts to a bucket under KMS need kms:GenerateDataKey and kms:Decrypt on the key");
      throw;
    }
  }

  bool respects_conditions(Integrity integrity) {
    auto conditional = headers_;
    conditional.set("If-None-Match", "*");
    // Others do not know the header, and may say so with another refusal.
    return !put(sum_of(integrity, kContent), conditional) && refusal_ == kPreconditionFailed;
  }

  /// Throws what keeps it from being written.
  void write(Integrity integrity) {
    const auto result = tried(
        [&] { return client_.put_object(key_, bytes_of(kContent), sum_of(integrity, kContent), headers_); });
    versions_.push_back(result.version);
  }

  bool is_kms() const { return is_kms_; }
  const std::string& encryption() const { return encryption_; }
  /// What the server says to every content alike, if it has taken none.
  const std::optional<S3Error>& objection() const { return objection_; }

  /// What may be left, or cannot be removed now, the end of the run or the next one looks for, unless it may
  /// not.
  void clean_up() {
    try {
      for (const auto& version : versions_) {
        with_retries(client_, retries_, [&] { client_.delete_object(key_, version); });
        if (version.empty()) break;
      }
      // libcurl sends a request again, and tells nobody, when a kept connection turns out to be closed: below
      // our versions there may be another.
      const bool has_versions = !versions_.empty() && !versions_.back().empty();
      if (has_versions && with_retries(client_, retries_, [&] { return client_.head_object(key_); }))
        was_retried_ = true;
    } catch (const S3Error& error) {
      spdlog::warn("the temporary object {} stays: {}", key_, error.message());
      if (!is_denied(error)) return;
    } catch (const base::Error&) {
      return;
    }
    if (!is_open_ && !was_retried_) journal_.record_cleared(name_);
  }
  /// After this one. When the answer to the last request never came nobody knows what it has done, and the
  /// server is not there to be asked.
  void clean_up_after(const base::Error& error) {
    if (is_refusal(error)) clean_up();
  }

 private:
  /// What is tried again may have happened twice.
  template <typename Request>
  std::invoke_result_t<Request> tried(Request&& request) {
    int tries = 0;
    const auto count = [&] {
      was_retried_ = was_retried_ || ++tries > 1;
      return request();
    };
    return with_retries(client_, retries_, count);
  }

  /// True when the request was carried out, false when the server refused its content.
  template <typename Request>
  bool accepts(Request&& request) {
    // One refusal is what is asked for: it is not to be tried again.
    try {
      tried([&] {
        try {
          request();
        } catch (S3Error& error) {
          if (is_digest_mismatch(error) || error.status() == 412) error.kind(ErrorKind::usage);
          throw;
        }
      });
      has_taken_one_ = true;
      objection_.reset();
      return true;
    } catch (const S3Error& error) {
      if (!error.region().empty()) throw;
      // 400 also from servers that know the header's name but not the algorithm, 501 from those that refuse
      // it.
      if (is_digest_mismatch(error) || error.status() == 400 || error.status() == 412 ||
          error.status() == 501) {
        if (!has_taken_one_) objection_ = error;
        refusal_ = error.status();
        return false;
      }
      throw;
    }
  }

  bool put(const BodySum& sum, const base::HttpHeaders& headers) {
    PutResult result;
    if (!accepts([&] { result = client_.put_object(key_, bytes_of(kContent), sum, headers); })) return false;
    is_kms_ = result.is_kms;
    encryption_ = result.encryption;
    versions_.push_back(result.version);
    return true;
  }

  void complete(const std::string& id, Integrity integrity, const std::string& etag) {
    const auto sum = sum_of(integrity, kContent);
    const BodySum whole{integrity, combined(integrity, {{sum.checksum, kContent.size()}})};
    const auto result = with_retries(client_, retries_, [&] {
      return client_.complete_multipart_upload(key_, id, {{1, etag, sum.checksum}}, whole, kContent.size());
    });
    versions_.push_back(result.version);
  }

  void abort(const std::string& id) {
    try {
      with_retries(client_, retries_, [&] { client_.abort_multipart_upload(key_, id); });
      is_open_ = false;
    } catch (const S3Error& error) {
      spdlog::warn("the unfinished upload of the temporary object {} stays: {}", key_, error.message());
    }
  }

  Client& client_;
  const Retries& retries_;
  const base::HttpHeaders& headers_;
  UploadJournal& journal_;
  const std::string name_;
  const std::string key_;
  std::vector<std::string> versions_;  // to be deleted
  std::string encryption_;
  std::optional<S3Error> objection_;
  int refusal_ = 0;  // the status of the last one
  bool has_taken_one_ = false;
  bool is_open_ = false;      // its upload is not ended
  bool was_retried_ = false;  // there may be something that we know nothing of
  bool is_kms_ = false;
};

base::HttpHeaders headers_of(const ObjectSettings& settings) {
  base::HttpHeaders headers{{"Content-Type", "text/plain"}};
  if (!settings.encryption.empty()) headers.add("x-amz-server-side-encryption", settings.encryption);
  if (!settings.kms_key.empty()) headers.add("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key);
  return headers;
}

}  // namespace

bool is_probe(std::string_view path) { return path.starts_with(kProbe); }

Capabilities probe(Client& client, const Retries& retries, const UploadOptions& options,
                   UploadJournal& journal) {
  const auto headers = headers_of(options.settings);
  Probe probe(client, retries, options.target.prefix, headers, journal);
  constexpr std::array kLadder{Integrity::crc64nvme, Integrity::crc32c, Integrity::crc32, Integrity::md5,
                               Integrity::sha256};
  try {
    for (const auto integrity : kLadder) {
      if (!probe.checks(integrity) || !probe.checks_parts(integrity)) continue;
      const bool conditional = probe.respects_conditions(integrity);
      probe.clean_up();
      check_encryption(options.settings, probe.encryption());
      return {integrity, conditional, false, true, probe.is_kms()};
    }
  } catch (const base::Error& error) {
    probe.clean_up_after(error);
    throw;
  }
  probe.clean_up();
  if (probe.objection()) throw *probe.objection();
  throw base::Error(ErrorKind::permanent, "the server accepts content that does not match its checksum",
                    "nothing could be proven about uploads to it");
}

void probe_right(Client& client, const Retries& retries, const UploadOptions& options, Integrity integrity,
                 UploadJournal& journal) {
  const auto headers = headers_of(options.settings);
  Probe probe(client, retries, options.target.prefix, headers, journal);
  try {
    probe.write(integrity);
  } catch (const base::Error& error) {
    probe.clean_up_after(error);
    throw;
  }
  probe.clean_up();
}

}  // namespace s3
