#include "s3/compare.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "s3/checksum.h"

namespace s3 {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

/// The raw checksum of `length` bytes from `offset` on; nothing when the content ends before.
std::optional<std::string> sum_of(Integrity integrity, uint64_t offset, uint64_t length, const ReadAt& read,
                                  const base::Stop& stop) {
  Hasher hasher(integrity);
  std::vector<std::byte> buffer(std::min<uint64_t>(length, kPiece));
  while (length > 0) {
    stop.check();
    const auto piece = std::span(buffer).first(std::min<uint64_t>(length, kPiece));
    if (read(offset, piece) != piece.size()) return std::nullopt;
    hasher.update(piece);
    offset += piece.size();
    length -= piece.size();
  }
  return hasher.finish();
}

Comparison verdict(bool equal) { return equal ? Comparison::equal : Comparison::different; }

/// The part sizes that would give the object as many parts as its ETag says; the likely ones first.
std::vector<uint64_t> likely_part_sizes(uint64_t size, uint64_t count, uint64_t known) {
  std::vector<uint64_t> out;
  const auto add = [&](uint64_t part_size) {
    if (part_size != 0 && (size + part_size - 1) / part_size == count) out.push_back(part_size);
  };
  add(known);
  if (size > kLargestPut) add(layout_of(size).part_size);
  // aws-cli and rclone.
  for (const uint64_t mib : {8ULL, 5ULL, 16ULL, 32ULL, 64ULL}) add(mib * kMiB);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Comparison compare_multipart(const Head& head, uint64_t count, uint64_t size, const ReadAt& read,
                             const base::Stop& stop, uint64_t part_size) {
  for (const auto wanted : likely_part_sizes(size, count, part_size)) {
    std::vector<std::string> etags;
    for (uint64_t offset = 0; offset < size; offset += wanted) {
      const auto sum = sum_of(Integrity::md5, offset, std::min(wanted, size - offset), read, stop);
      if (!sum) return Comparison::different;
      etags.push_back(to_hex(*sum));
    }
    if (multipart_etag(etags) == head.etag) return Comparison::equal;
  }
  // Another part size would give another ETag.
  return Comparison::unknown;
}

}  // namespace

std::optional<std::string> journal_checksum(Integrity integrity, uint64_t size, const ReadAt& read,
                                            const base::Stop& stop) {
  if (size <= kLargestPut) return sum_of(integrity, 0, size, read, stop);
  const auto layout = layout_of(size);
  std::vector<PartSum> sums;
  for (uint64_t number = 1; number <= layout.parts(); ++number) {
    auto sum = sum_of(integrity, layout.offset(number), layout.length(number), read, stop);
    if (!sum) return std::nullopt;
    sums.push_back({std::move(*sum), layout.length(number)});
  }
  return combined(integrity, sums);
}

Comparison compare(const Head& head, uint64_t size, const ReadAt& read, const base::Stop& stop,
                   uint64_t part_size) {
  if (head.size != size) return Comparison::different;
  if (!head.checksums.empty()) {
    const auto& known = head.checksums.front();
    return verdict(sum_of(known.integrity, 0, size, read, stop) == known.checksum);
  }
  if (head.is_kms) return Comparison::unknown;
  if (looks_like_md5(head.etag)) {
    const auto sum = sum_of(Integrity::md5, 0, size, read, stop);
    return verdict(sum && to_hex(*sum) == head.etag);
  }
  const auto dash = head.etag.find('-');
  if (dash == std::string::npos || !looks_like_md5(std::string_view(head.etag).substr(0, dash)))
    return Comparison::unknown;
  uint64_t count = 0;
  std::from_chars(head.etag.data() + dash + 1, head.etag.data() + head.etag.size(), count);
  return compare_multipart(head, count, size, read, stop, part_size);
}

}  // namespace s3
