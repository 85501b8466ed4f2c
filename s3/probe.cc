#include "s3/probe.h"

#include <array>
#include <random>
#include <string_view>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/sink.h"

namespace s3 {
namespace {

using base::ErrorKind;

constexpr std::string_view kContent = "written by cutover to see what this server checks; may be deleted\n";
constexpr std::string_view kOther = "another content, whose checksum is sent along as a wrong one";

using base::bytes_of;

/// True when the object was made, false when the server refused its content.
bool try_put(Client& client, const Retries& retries, const std::string& key, const BodySum& sum,
             const base::HttpHeaders& headers, PutResult& result) {
  // One refusal is what is asked for: it is not to be tried again.
  try {
    result = with_retries(client, retries, [&] {
      try {
        return client.put_object(key, bytes_of(kContent), sum, headers);
      } catch (S3Error& error) {
        if (is_digest_mismatch(error) || error.status() == 412) error.kind(ErrorKind::usage);
        throw;
      }
    });
    return true;
  } catch (const S3Error& error) {
    // 400 also from servers that know the header's name but not the algorithm, 501 from those that refuse it.
    if (is_digest_mismatch(error) || error.status() == 400 || error.status() == 412 || error.status() == 501)
      return false;
    throw;
  }
}

}  // namespace

Capabilities probe(Client& client, const Retries& retries, const std::string& prefix,
                   const base::HttpHeaders& headers) {
  std::random_device random;
  const auto key = fmt::format("{}.cutover-probe-{:08x}{:08x}", prefix, random(), random());
  std::vector<std::string> versions;  // to be deleted
  const auto put = [&](const BodySum& sum, const base::HttpHeaders& with) {
    PutResult result;
    if (!try_put(client, retries, key, sum, with, result)) return false;
    versions.push_back(result.version);
    return true;
  };
  const auto checks = [&](Integrity integrity) {
    const auto wrong = checksum(integrity, bytes_of(kOther));
    const auto right = checksum(integrity, bytes_of(kContent));
    return !put({integrity, wrong}, headers) && put({integrity, right}, headers);
  };
  const auto clean_up = [&] {
    for (const auto& version : versions) {
      try {
        with_retries(client, retries, [&] { client.delete_object(key, version); });
      } catch (const S3Error& error) {
        spdlog::warn("the temporary object {} stays: {}", key, error.message());
        return;
      }
      if (version.empty()) return;
    }
  };

  constexpr std::array kLadder{Integrity::crc64nvme, Integrity::crc32c, Integrity::crc32, Integrity::md5,
                               Integrity::sha256};
  for (const auto integrity : kLadder) {
    if (!checks(integrity)) continue;
    auto conditional = headers;
    conditional.set("If-None-Match", "*");
    const bool was_made = put({integrity, checksum(integrity, bytes_of(kContent))}, conditional);
    clean_up();
    return {integrity, !was_made, false};
  }
  clean_up();
  throw base::Error(ErrorKind::permanent, "the server accepts content that does not match its checksum",
                    "nothing could be proven about uploads to it");
}

}  // namespace s3
