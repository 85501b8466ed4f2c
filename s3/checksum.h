#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sink.h"

namespace s3 {

/// How the server is made to check what it received, best first. The first three are `x-amz-checksum-…`
/// headers over the whole object, however many parts it has; the others are for servers that ignore those.
/// The numbers are stored in journals.
enum class Integrity : uint8_t {
  crc64nvme = 1,
  crc32c = 2,
  crc32 = 3,
  md5 = 4,     ///< Content-MD5
  sha256 = 5,  ///< the payload's SHA-256, which the signature covers
};

std::string_view to_string(Integrity integrity);
/// "CRC64NVME" as S3 calls it in x-amz-checksum-algorithm; empty for those that are no such checksum.
std::string_view algorithm_name(Integrity integrity);
/// "x-amz-checksum-crc64nvme"; empty likewise.
std::string_view header_name(Integrity integrity);

/// The checksum of a run of bytes as S3 writes it: base64 of the big-endian value. All kinds are strings of
/// raw bytes inside the program.
std::string to_base64(std::string_view raw);
/// Nothing when the text is not base64.
std::optional<std::string> from_base64(std::string_view text);
std::string to_hex(std::string_view raw);
std::optional<std::string> from_hex(std::string_view text);

/// The raw checksum of all of `bytes`.
std::string checksum(Integrity integrity, base::Bytes bytes);

/// A checksum taken piece by piece.
class Hasher {
 public:
  explicit Hasher(Integrity integrity);
  Hasher(Hasher&& other) noexcept;
  Hasher& operator=(Hasher&&) = delete;
  ~Hasher();
  void update(base::Bytes bytes);
  /// The raw checksum; nothing may follow.
  std::string finish();

 private:
  Integrity integrity_;
  uint64_t crc_ = 0;
  void* digest_ = nullptr;  // EVP_MD_CTX
};

struct PartSum {
  std::string checksum;  ///< raw
  uint64_t size = 0;
};
/// What stands for the content of a multipart object, from the checksums of its parts in order. For the CRCs
/// it is the checksum of the whole content; md5 and sha256 cannot be combined, so it is theirs over those of
/// the parts.
std::string combined(Integrity integrity, const std::vector<PartSum>& parts);

/// What S3 gives a multipart object as ETag when each part's ETag is the MD5 of its bytes: the MD5 of the
/// MD5s and "-" and their number. Nothing when one of them is no MD5 (under KMS for example). Without quotes.
std::optional<std::string> multipart_etag(const std::vector<std::string>& part_etags);
/// True for 32 hexadecimal digits: it may be the MD5 of the content (not under KMS or SSE-C).
bool looks_like_md5(std::string_view etag);

}  // namespace s3
