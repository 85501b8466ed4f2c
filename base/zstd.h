#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/sink.h"

namespace base {

/// Compresses into another sink as one zstd frame with a content checksum. finish() ends the frame and
/// finishes the inner sink.
class ZstdSink : public ByteSink {
 public:
  /// `inner` must outlive this. Level 1 costs about a third of a core at COPY speed; see docs/benchmarks.md.
  explicit ZstdSink(ByteSink& inner, int level = 1);
  ~ZstdSink() override;
  void write(Bytes bytes) override;
  void finish() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Decompresses one zstd frame with a content checksum. Throws Error{corrupt} on damaged, truncated or
/// trailing data; the checksum is checked before read() returns 0. What this proves is the content: a few
/// bits of a frame (the window's size, unused entries of a table) can change without changing it.
class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(ByteSource& inner);
  ~ZstdSource() override;
  size_t read(std::span<std::byte> buffer) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whole-buffer forms for small documents, same frame format.
std::string zstd_compress(std::string_view content, int level = 3);
/// Throws Error{corrupt}.
std::string zstd_decompress(std::string_view frame);

}  // namespace base
