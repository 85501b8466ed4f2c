#include "s3/checksum.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "s3/crc.h"

namespace s3 {
namespace {

template <typename Word>
std::string big_endian(Word value) {
  std::string out(sizeof(Word), '\0');
  for (size_t i = 0; i < sizeof(Word); ++i) out[i] = static_cast<char>(value >> (8 * (sizeof(Word) - 1 - i)));
  return out;
}

template <typename Word>
Word from_big_endian(std::string_view raw) {
  Word value = 0;
  for (const char c : raw) value = static_cast<Word>((uint64_t{value} << 8) | static_cast<unsigned char>(c));
  return value;
}

/// Looked up once, not for each digest.
const EVP_MD* message_digest(Integrity integrity) {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return integrity == Integrity::md5 ? md5 : sha256;
}

bool is_crc(Integrity integrity) { return !algorithm_name(integrity).empty(); }

uint64_t crc(Integrity integrity, base::Bytes bytes, uint64_t before) {
  switch (integrity) {
    case Integrity::crc64nvme:
      return crc64nvme(bytes, before);
    case Integrity::crc32c:
      return base::crc32c(bytes, static_cast<uint32_t>(before));
    default:
      return crc32(bytes, static_cast<uint32_t>(before));
  }
}

std::string crc_text(Integrity integrity, uint64_t value) {
  return integrity == Integrity::crc64nvme ? big_endian(value) : big_endian(static_cast<uint32_t>(value));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view to_string(Integrity integrity) {
  switch (integrity) {
    case Integrity::crc64nvme:
      return "CRC64NVME";
    case Integrity::crc32c:
      return "CRC32C";
    case Integrity::crc32:
      return "CRC32";
    case Integrity::md5:
      return "MD5";
    case Integrity::sha256:
      return "SHA-256";
  }
  return "?";
}

std::string_view algorithm_name(Integrity integrity) {
  return integrity <= Integrity::crc32 ? to_string(integrity) : std::string_view();
}

std::string_view header_name(Integrity integrity) {
  switch (integrity) {
    case Integrity::crc64nvme:
      return "x-amz-checksum-crc64nvme";
    case Integrity::crc32c:
      return "x-amz-checksum-crc32c";
    case Integrity::crc32:
      return "x-amz-checksum-crc32";
    default:
      return {};
  }
}

std::string to_base64(std::string_view raw) {
  std::string out(4 * ((raw.size() + 2) / 3), '\0');
  // One byte more than the text is written: the string's own terminator.
  const auto size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(raw.data()), static_cast<int>(raw.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const auto size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // OpenSSL decodes the padding as zero bytes.
  const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

std::string to_hex(std::string_view raw) {
  std::string out;
  for (const char c : raw) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto high = hex_digit(text[i]);
    const auto low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string checksum(Integrity integrity, base::Bytes bytes) {
  if (is_crc(integrity)) return crc_text(integrity, crc(integrity, bytes, 0));
  Hasher hasher(integrity);
  hasher.update(bytes);
  return hasher.finish();
}

Hasher::Hasher(Integrity integrity) : integrity_(integrity) {
  if (is_crc(integrity)) return;
  auto* context = EVP_MD_CTX_new();
  if (context == nullptr || EVP_DigestInit_ex(context, message_digest(integrity), nullptr) != 1) {
    EVP_MD_CTX_free(context);
    base::fail(base::ErrorKind::permanent, "{} is not available in this OpenSSL", to_string(integrity));
  }
  digest_ = context;
}

Hasher::Hasher(Hasher&& other) noexcept
    : integrity_(other.integrity_), crc_(other.crc_), digest_(std::exchange(other.digest_, nullptr)) {}

Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(digest_)); }

void Hasher::update(base::Bytes bytes) {
  if (is_crc(integrity_)) {
    crc_ = crc(integrity_, bytes, crc_);
  } else if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(digest_), bytes.data(), bytes.size()) != 1) {
    base::fail(base::ErrorKind::permanent, "OpenSSL cannot compute {}", to_string(integrity_));
  }
}

std::string Hasher::finish() {
  if (is_crc(integrity_)) return crc_text(integrity_, crc_);
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(digest_), raw.data(), &size) != 1)
    base::fail(base::ErrorKind::permanent, "OpenSSL cannot compute {}", to_string(integrity_));
  return {reinterpret_cast<const char*>(raw.data()), size};
}

std::string combined(Integrity integrity, const std::vector<PartSum>& parts) {
  if (!is_crc(integrity)) {
    Hasher hasher(integrity);
    for (const auto& part : parts) hasher.update(std::as_bytes(std::span(part.checksum)));
    return hasher.finish();
  }
  uint64_t sum = 0;
  for (const auto& part : parts) {
    if (integrity == Integrity::crc64nvme) {
      sum = combined_crc64nvme(sum, from_big_endian<uint64_t>(part.checksum), part.size);
    } else {
      const auto next = from_big_endian<uint32_t>(part.checksum);
      const auto before = static_cast<uint32_t>(sum);
      sum = integrity == Integrity::crc32c ? combined_crc32c(before, next, part.size)
                                           : combined_crc32(before, next, part.size);
    }
  }
  return crc_text(integrity, sum);
}

bool looks_like_md5(std::string_view etag) {
  return etag.size() == 32 && std::ranges::all_of(etag, [](char c) { return hex_digit(c) >= 0; });
}

std::optional<std::string> multipart_etag(const std::vector<std::string>& part_etags) {
  std::string raw;
  for (const auto& etag : part_etags) {
    if (!looks_like_md5(etag)) return std::nullopt;
    raw += from_hex(etag).value_or("");
  }
  const auto sum = checksum(Integrity::md5, std::as_bytes(std::span(raw)));
  return fmt::format("{}-{}", to_hex(sum), part_etags.size());
}

}  // namespace s3
