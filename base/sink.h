#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace base {

using Bytes = std::span<const std::byte>;

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Where a stream of bytes goes. write() may be called with any split of the stream; finish() exactly once,
/// after the last write. A sink that is destroyed without finish() leaves nothing that looks complete.
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  virtual void write(Bytes bytes) = 0;
  virtual void finish() = 0;
};

/// Where a stream of bytes comes from.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  /// Fills a prefix of `buffer`; 0 only at the end of the stream.
  virtual size_t read(std::span<std::byte> buffer) = 0;
};

}  // namespace base
