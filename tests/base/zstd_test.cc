#include "base/zstd.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>
#include <zstd.h>

#include "tests/base/matchers.h"
#include "tests/base/text_sink.h"

namespace base {
namespace {

using test::TextSink;
using test::throws;
using ::testing::HasSubstr;

/// Hands out at most `step` bytes a time.
class StepSource : public ByteSource {
 public:
  StepSource(std::string_view text, size_t step) : rest_(text), step_(step) {}
  size_t read(std::span<std::byte> buffer) override {
    const auto count = std::min({buffer.size(), rest_.size(), step_});
    std::copy_n(std::as_bytes(std::span(rest_)).begin(), count, buffer.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  size_t step_;
};

std::string compress(std::string_view content, size_t step) {
  TextSink frame;
  ZstdSink sink(frame);
  for (size_t at = 0; at < content.size(); at += step)
    sink.write(std::as_bytes(std::span(content.substr(at, step))));
  sink.finish();
  EXPECT_EQ(frame.finished, 1);
  return frame.text;
}

std::string decompress(std::string_view frame, size_t step, size_t target) {
  StepSource inner(frame, step);
  ZstdSource source(inner);
  std::vector<std::byte> buffer(target);
  std::string content;
  while (const auto got = source.read(buffer))
    content.append(reinterpret_cast<const char*>(buffer.data()), got);
  EXPECT_EQ(source.read(buffer), 0U);
  return content;
}

std::string rows(size_t count) {
  std::minstd_rand random(1);
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{}\torder {}\t\\N\n", i, random());
  return text;
}

TEST(Zstd, RoundTripsUnderAnySplit) {
  const auto content = rows(2000);
  for (const size_t step : {size_t{1}, size_t{7}, size_t{4096}, content.size()}) {
    const auto frame = compress(content, step);
    EXPECT_LT(frame.size(), content.size());
    for (const size_t target : {size_t{1}, size_t{1000}, content.size() + 1})
      EXPECT_TRUE(decompress(frame, step, target) == content) << step << ' ' << target;
  }
}

TEST(Zstd, RoundTripsMoreThanItsBuffersHold) {
  const auto content = rows(200'000);
  EXPECT_TRUE(decompress(compress(content, 1 << 20), 1 << 20, 1 << 16) == content);
  std::string noise(1 << 20, '\0');
  std::minstd_rand random(1);
  for (auto& c : noise) c = static_cast<char>(random());
  EXPECT_TRUE(decompress(compress(noise, 1 << 20), 1 << 20, 1 << 20) == noise);
}

TEST(Zstd, RoundTripsNothing) {
  EXPECT_EQ(decompress(compress("", 1), 1, 1), "");
  EXPECT_EQ(zstd_decompress(zstd_compress("")), "");
}

TEST(Zstd, WholeBufferFormsAreTheSameFormat) {
  const auto content = rows(100);
  EXPECT_EQ(zstd_decompress(zstd_compress(content)), content);
  EXPECT_EQ(zstd_decompress(compress(content, 10)), content);
  EXPECT_EQ(decompress(zstd_compress(content), 10, 10), content);
}

std::vector<std::string> small_frames() {
  return {compress(rows(20), 100), compress("short", 5), compress("", 1), zstd_compress(rows(20)),
          zstd_compress("short")};
}

TEST(Zstd, EveryTruncationIsCorrupt) {
  for (const auto& frame : small_frames())
    for (size_t length = 0; length < frame.size(); ++length)
      for (const size_t step : {size_t{1}, frame.size()})
        EXPECT_THAT([&] { decompress(std::string_view(frame).substr(0, length), step, 64); },
                    throws(ErrorKind::corrupt))
            << length;
}

TEST(Zstd, EveryFlippedByteIsCorrupt) {
  for (const auto& frame : small_frames())
    for (size_t at = 0; at < frame.size(); ++at) {
      auto damaged = frame;
      damaged[at] = static_cast<char>(~damaged[at]);
      EXPECT_THAT([&] { zstd_decompress(damaged); }, throws(ErrorKind::corrupt)) << at;
    }
}

// A frame has bits that do not matter to its content: the window may be larger than needed, a Huffman table
// may name symbols that are not used. So the promise for a single bit is that no other content is taken for
// the right one, not that every change of the frame is seen.
TEST(Zstd, NoFlippedBitGivesOtherContent) {
  size_t harmless = 0;
  size_t bits = 0;
  for (const auto& frame : small_frames()) {
    const auto content = zstd_decompress(frame);
    for (size_t bit = 0; bit < frame.size() * 8; ++bit, ++bits) {
      auto damaged = frame;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      try {
        EXPECT_EQ(zstd_decompress(damaged), content) << bit;
        ++harmless;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::corrupt) << bit;
      }
    }
  }
  EXPECT_LT(harmless, bits / 50);
}

TEST(Zstd, AnythingAfterTheFrameIsCorrupt) {
  const auto frame = compress("content", 3);
  for (const std::string& tail : {std::string(1, '\0'), std::string("x"), frame})
    for (const size_t step : {size_t{1}, frame.size(), size_t{1000}})
      EXPECT_THAT([&] { decompress(frame + tail, step, 64); },
                  throws(ErrorKind::corrupt, HasSubstr("goes on after its end")));
}

TEST(Zstd, FramesThatProveNothingAreCorrupt) {
  const std::string content = "without a checksum";
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
  EXPECT_THAT([&] { zstd_decompress(frame); }, throws(ErrorKind::corrupt, HasSubstr("without a checksum")));
  const std::string skippable("\x50\x2a\x4d\x18\x02\x00\x00\x00xx", 10);
  EXPECT_THAT([&] { zstd_decompress(skippable); }, throws(ErrorKind::corrupt, HasSubstr("not a zstd frame")));
}

TEST(Zstd, UnfinishedSinkLeavesTheInnerOneUnfinished) {
  TextSink frame;
  { ZstdSink(frame).write(std::as_bytes(std::span(std::string_view("abc")))); }
  EXPECT_EQ(frame.finished, 0);
  EXPECT_THAT([&] { zstd_decompress(frame.text); }, throws(ErrorKind::corrupt));
}

}  // namespace
}  // namespace base
