#include "s3/crc.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <isa-l/crc.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A message is a polynomial over GF(2), its CRC the remainder of (message · x^64) by P. In the reflected form
// the first bit of a byte stands for the highest power, so a 64-bit word keeps the coefficient of x^63 in
// bit 0, "multiply by x" is a shift to the right, and what falls out at the right is reduced by P.
//
// Folding, for speed: the sixteen bytes X = H·x^64 + L at the front of a message are congruent, D bits
// further to the right, to H·(x^(D+64) mod P) + L·(x^D mod P), which is at most 128 bits long again. So the
// front of a message is folded into what follows with two carry-less multiplications, until sixteen bytes are
// left, and the table takes those. The product of two reflected words comes out one place too far to the
// left, that is multiplied by x: the constants are for D-1.
//
// Combining: CRC(A and B) = CRC(A)·x^(8·|B|) mod P + CRC(B); the ones before and after cancel out.

namespace s3 {
namespace {

/// Arithmetic of reflected polynomials modulo P; `Word` has as many bits as the CRC.
template <typename Word, Word kReflectedPolynomial>
struct Field {
  static constexpr Word kOne = Word{1} << (8 * sizeof(Word) - 1);

  static constexpr Word times_x(Word a) {
    return static_cast<Word>((a >> 1) ^ ((a & 1) != 0 ? kReflectedPolynomial : Word{0}));
  }

  static constexpr Word times(Word a, Word b) {
    Word product = 0;
    for (Word bit = kOne; bit != 0; bit = static_cast<Word>(bit >> 1)) {
      if ((a & bit) != 0) product ^= b;
      b = times_x(b);
    }
    return product;
  }

  /// x^n mod P
  static constexpr Word power_of_x(uint64_t n) {
    Word result = kOne;
    for (Word square = times_x(kOne); n != 0; n >>= 1) {
      if ((n & 1) != 0) result = times(result, square);
      square = times(square, square);
    }
    return result;
  }

  static constexpr Word combined(Word first, Word second, uint64_t second_size) {
    // x^(8·n) as (x^8)^n: 8·n need not fit into 64 bits.
    Word shift = kOne;
    auto n = second_size;
    for (Word square = power_of_x(8); n != 0; n >>= 1) {
      if ((n & 1) != 0) shift = times(shift, square);
      square = times(square, square);
    }
    return times(first, shift) ^ second;
  }
};

constexpr uint64_t kNvme = 0x9A6C9329AC4BC9B5;
using Nvme = Field<uint64_t, kNvme>;

using Table = std::array<std::array<uint64_t, 256>, 8>;

constexpr Table make_table() {
  Table table{};
  for (uint64_t i = 0; i < 256; ++i) {
    auto crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = Nvme::times_x(crc);
    table[0][i] = crc;
  }
  for (size_t slice = 1; slice < 8; ++slice)
    for (size_t i = 0; i < 256; ++i) {
      const auto crc = table[slice - 1][i];
      table[slice][i] = (crc >> 8) ^ table[0][crc & 0xFF];
    }
  return table;
}

constexpr Table kTable = make_table();

uint64_t load(const std::byte* from) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Without the ones before and after.
uint64_t raw_by_table(base::Bytes bytes, uint64_t crc) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    crc ^= load(bytes.data());
    uint64_t next = 0;
    for (size_t i = 0; i < 8; ++i) next ^= kTable[7 - i][(crc >> (8 * i)) & 0xFF];
    crc = next;
  }
  for (const auto byte : bytes) crc = (crc >> 8) ^ kTable[0][(crc ^ std::to_integer<uint64_t>(byte)) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

#define CUTOVER_CLMUL __attribute__((target("pclmul,sse4.1")))

/// x^(D+63) for the first eight bytes, which have the higher powers, and x^(D-1) for the others.
CUTOVER_CLMUL __m128i fold_constants(uint64_t for_high, uint64_t for_low) {
  return _mm_set_epi64x(static_cast<int64_t>(for_low), static_cast<int64_t>(for_high));
}

CUTOVER_CLMUL __m128i folded(__m128i x, __m128i constants, __m128i next) {
  const auto high = _mm_clmulepi64_si128(x, constants, 0x00);
  const auto low = _mm_clmulepi64_si128(x, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(high, low), next);
}

CUTOVER_CLMUL uint64_t raw_by_folding(base::Bytes bytes, uint64_t crc) {
  constexpr size_t kLanes = 4;
  constexpr size_t kLane = 16;
  constexpr auto kFarHigh = Nvme::power_of_x(kLanes * kLane * 8 + 64 - 1);
  constexpr auto kFarLow = Nvme::power_of_x(kLanes * kLane * 8 - 1);
  constexpr auto kNearHigh = Nvme::power_of_x(kLane * 8 + 64 - 1);
  constexpr auto kNearLow = Nvme::power_of_x(kLane * 8 - 1);
  const auto far = fold_constants(kFarHigh, kFarLow);
  const auto near = fold_constants(kNearHigh, kNearLow);

  const auto* at = reinterpret_cast<const __m128i*>(bytes.data());
  std::array<uint64_t, 2> rest{};
  __m128i x0 = _mm_xor_si128(_mm_loadu_si128(at), _mm_set_epi64x(0, static_cast<int64_t>(crc)));
  __m128i x1 = _mm_loadu_si128(at + 1);
  __m128i x2 = _mm_loadu_si128(at + 2);
  __m128i x3 = _mm_loadu_si128(at + 3);
  const auto blocks = bytes.size() / (kLanes * kLane);
  for (size_t i = 1; i < blocks; ++i) {
    at += kLanes;
    x0 = folded(x0, far, _mm_loadu_si128(at));
    x1 = folded(x1, far, _mm_loadu_si128(at + 1));
    x2 = folded(x2, far, _mm_loadu_si128(at + 2));
    x3 = folded(x3, far, _mm_loadu_si128(at + 3));
  }
  x1 = folded(x0, near, x1);
  x2 = folded(x1, near, x2);
  x3 = folded(x2, near, x3);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest.data()), x3);
  crc = raw_by_table(std::as_bytes(std::span(rest)), 0);
  return raw_by_table(bytes.subspan(blocks * kLanes * kLane), crc);
}

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}

#endif

}  // namespace

uint64_t crc64nvme_by_table(base::Bytes bytes, uint64_t before) { return ~raw_by_table(bytes, ~before); }

uint64_t crc64nvme(base::Bytes bytes, uint64_t before) {
#if defined(__x86_64__)
  if (bytes.size() >= 64 && can_fold()) return ~raw_by_folding(bytes, ~before);
#endif
  return crc64nvme_by_table(bytes, before);
}

uint32_t crc32(base::Bytes bytes, uint32_t before) {
  // ISA-L inverts before and after by itself here, unlike in its CRC32C.
  return crc32_gzip_refl(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

uint64_t combined_crc64nvme(uint64_t first, uint64_t second, uint64_t second_size) {
  return Nvme::combined(first, second, second_size);
}

uint32_t combined_crc32c(uint32_t first, uint32_t second, uint64_t second_size) {
  return Field<uint32_t, 0x82F63B78>::combined(first, second, second_size);
}

uint32_t combined_crc32(uint32_t first, uint32_t second, uint64_t second_size) {
  return Field<uint32_t, 0xEDB88320>::combined(first, second, second_size);
}

}  // namespace s3
