#pragma once

#include <cstdint>

namespace s3 {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

/// S3's own limits.
constexpr uint64_t kMostParts = 10'000;
constexpr uint64_t kLargestPart = 5 * kGiB;
constexpr uint64_t kLargestObject = kMostParts * kLargestPart;

/// Up to this a file is one PUT: another part would cost more requests than it saves time.
constexpr uint64_t kLargestPut = 32 * kMiB;

/// How a file is cut into parts: all of `part_size` but the last, which is shorter or as long.
struct Layout {
  uint64_t size = 0;
  uint64_t part_size = 0;

  uint64_t parts() const { return (size + part_size - 1) / part_size; }
  /// Parts are numbered from 1.
  uint64_t offset(uint64_t number) const { return (number - 1) * part_size; }
  uint64_t length(uint64_t number) const { return number == parts() ? size - offset(number) : part_size; }
};

/// The layout of a file above kLargestPut: parts of 16 MiB, or as large as it takes for the file to fit into
/// about 9,000 of them, in whole MiB. Throws Error{permanent} above kLargestObject.
Layout layout_of(uint64_t size);

}  // namespace s3
