#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "s3/client.h"
#include "s3/layout.h"

namespace s3 {

enum class Comparison {
  equal,      ///< the server's checksum is that of the local content
  different,  ///< it is not, or the size is another
  unknown,    ///< the server keeps no checksum that could be compared
};

/// Fills `buffer` from `offset` on; less only where the content ends.
using ReadAt = std::function<size_t(uint64_t offset, std::span<std::byte> buffer)>;

/// Compares local content with what the server says of an object, without downloading it. The content is read
/// once. Of what the server keeps the strongest is used: a CRC or SHA-256 of the whole object, then the ETag
/// when it is an MD5 or one of parts as s3/layout cuts them (or `part_size`, if it is not 0).
Comparison compare(const Head& head, uint64_t size, const ReadAt& read, const base::Stop& stop,
                   uint64_t part_size = 0);

/// The raw checksum of a file's content as the journal has it: of the whole, above kLargestPut combined()
/// from its parts. Nothing when the content ends before `size`.
std::optional<std::string> journal_checksum(Integrity integrity, uint64_t size, const ReadAt& read,
                                            const base::Stop& stop);

}  // namespace s3
