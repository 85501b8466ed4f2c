#include "base/zstd.h"

#include <algorithm>
#include <cstdint>
#include <new>

#include <zstd.h>
#include <zstd_errors.h>

#include "base/error.h"

namespace base {
namespace {

size_t checked(size_t result) {
  if (!ZSTD_isError(result)) return result;
  const auto kind =
      ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? ErrorKind::permanent : ErrorKind::corrupt;
  fail(kind, "compressed data is damaged: {}", ZSTD_getErrorName(result));
}

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeCompressor>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, FreeDecompressor>;

/// For calls that fail only by a mistake of ours or for want of memory.
void expect(size_t result) {
  if (ZSTD_isError(result)) fail(ErrorKind::permanent, "cannot compress: {}", ZSTD_getErrorName(result));
}

Compressor new_compressor(int level) {
  Compressor context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  expect(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
  expect(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
  return context;
}

class TextSource : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_(std::as_bytes(std::span(text))) {}
  size_t read(std::span<std::byte> buffer) override {
    const auto piece = rest_.first(std::min(buffer.size(), rest_.size()));
    std::copy(piece.begin(), piece.end(), buffer.begin());
    rest_ = rest_.subspan(piece.size());
    return piece.size();
  }

 private:
  Bytes rest_;
};

}  // namespace

struct ZstdSink::Impl {
  Impl(ByteSink& sink, int level)
      : inner(sink), context(new_compressor(level)), buffer(ZSTD_CStreamOutSize()) {}

  /// True when everything given, and with ZSTD_e_end the frame, is out of the context.
  bool step(ZSTD_inBuffer& input, ZSTD_EndDirective mode) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    const size_t left = ZSTD_compressStream2(context.get(), &output, &input, mode);
    expect(left);
    if (output.pos > 0) inner.write(std::span(buffer).first(output.pos));
    return mode == ZSTD_e_end ? left == 0 : input.pos == input.size;
  }

  ByteSink& inner;
  Compressor context;
  std::vector<std::byte> buffer;
};

ZstdSink::ZstdSink(ByteSink& inner, int level) : impl_(std::make_unique<Impl>(inner, level)) {}
ZstdSink::~ZstdSink() = default;

void ZstdSink::write(Bytes bytes) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  while (!impl_->step(input, ZSTD_e_continue)) {
  }
}

void ZstdSink::finish() {
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  while (!impl_->step(nothing, ZSTD_e_end)) {
  }
  impl_->inner.finish();
}

struct ZstdSource::Impl {
  explicit Impl(ByteSource& source)
      : inner(source), context(ZSTD_createDCtx()), buffer(ZSTD_DStreamInSize()) {
    if (!context) throw std::bad_alloc();
  }

  /// False at the end of the inner stream.
  bool refill() {
    input = {buffer.data(), inner.read(buffer), 0};
    return input.size > 0;
  }

  void check_header();
  size_t read(std::span<std::byte> target);

  ByteSource& inner;
  Decompressor context;
  std::vector<std::byte> buffer;
  ZSTD_inBuffer input{nullptr, 0, 0};
  bool begun = false;
  bool ended = false;
};

/// libzstd alone is too lenient here: it skips "skippable" frames, reads formats from before 1.0 whose magic
/// numbers are one bit away, accepts frames without a checksum and ignores a bit that must be zero.
///   frame = magic:u32le(0xFD2FB528) descriptor:u8 …      (RFC 8878, 3.1.1)
void ZstdSource::Impl::check_header() {
  constexpr size_t kHeader = 5;
  size_t have = 0;
  while (have < kHeader) {
    const size_t got = inner.read(std::span(buffer).subspan(have));
    if (got == 0) break;
    have += got;
  }
  input = {buffer.data(), have, 0};
  if (have < kHeader) fail(ErrorKind::corrupt, "compressed data ends early, after {} bytes", have);
  uint32_t magic = 0;
  for (unsigned i = 0; i < 4; ++i) magic |= std::to_integer<uint32_t>(buffer[i]) << (8 * i);
  const auto descriptor = std::to_integer<unsigned>(buffer[4]);
  constexpr unsigned kChecksum = 1U << 2;
  constexpr unsigned kUnused = 1U << 4;
  if (magic != ZSTD_MAGICNUMBER) fail(ErrorKind::corrupt, "compressed data is damaged: not a zstd frame");
  if ((descriptor & (kChecksum | kUnused)) != kChecksum)
    fail(ErrorKind::corrupt, "compressed data is damaged: a frame without a checksum");
  begun = true;
}

size_t ZstdSource::Impl::read(std::span<std::byte> target) {
  if (ended || target.empty()) return 0;
  if (!begun) check_header();
  ZSTD_outBuffer output{target.data(), target.size(), 0};
  while (output.pos == 0) {
    const bool more = input.pos < input.size || refill();
    const size_t wanted = checked(ZSTD_decompressStream(context.get(), &output, &input));
    if (wanted == 0) {
      ended = true;
      if (input.pos < input.size || refill())
        fail(ErrorKind::corrupt, "compressed data goes on after its end");
      break;
    }
    // Without input the context can still hold output; when it gives none, the frame was cut.
    if (!more && output.pos == 0) fail(ErrorKind::corrupt, "compressed data ends early");
  }
  return output.pos;
}

ZstdSource::ZstdSource(ByteSource& inner) : impl_(std::make_unique<Impl>(inner)) {}
ZstdSource::~ZstdSource() = default;
size_t ZstdSource::read(std::span<std::byte> buffer) { return impl_->read(buffer); }

std::string zstd_compress(std::string_view content, int level) {
  const auto context = new_compressor(level);
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  const size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), content.data(), content.size());
  expect(size);
  frame.resize(size);
  return frame;
}

std::string zstd_decompress(std::string_view frame) {
  TextSource compressed(frame);
  ZstdSource source(compressed);
  std::vector<std::byte> piece(ZSTD_DStreamOutSize());
  std::string content;
  while (const size_t got = source.read(piece))
    content.append(reinterpret_cast<const char*>(piece.data()), got);
  return content;
}

}  // namespace base
