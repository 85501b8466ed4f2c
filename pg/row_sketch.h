#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sink.h"
#include "base/uint128.h"

namespace pg {

/// Remembers rows so that, when two sets of them are taken from each other, the few that are only in one can
/// be told: their hashes and their keys, without reading the sets again. An invertible Bloom lookup table
/// (Goodrich and Mitzenmacher, 2011): every row is added to three cells that its hash chooses. A row of both
/// sets takes itself out of the difference; of the rest, a cell with a single row names it, it is taken out
/// of its other two cells, and so on.
///
/// Works for up to about kCells * 0.8 rows of difference, in constant memory (48 kB: every row of a table
/// goes through it, so it should stay in the cache nearest to the core). What it tells is checked by whoever
/// asks: decode() may fail, and with a tiny probability be wrong.
class RowSketch {
 public:
  /// Of a key that is longer, only its beginning is kept.
  static constexpr size_t kKeyBytes = 40;
  static constexpr uint32_t kThird = 256;
  static constexpr uint32_t kCells = 3 * kThird;

  RowSketch() : cells_(kCells) {}
  void add(base::uint128 row_hash, base::Bytes key);
  RowSketch& operator+=(const RowSketch& other);
  RowSketch& operator-=(const RowSketch& other);

  struct Row {
    base::uint128 hash = 0;
    std::string key;    ///< kKeyBytes long, zeros at its end
    bool added = true;  ///< false: it is in what was subtracted
  };
  /// The rows of the difference; nothing when there are too many. Leaves the sketch as it is.
  std::optional<std::vector<Row>> decode() const;

 private:
  using Key = std::array<uint64_t, kKeyBytes / 8>;
  // One line of the cache.
  struct alignas(64) Cell {
    int64_t count = 0;
    std::array<uint64_t, 2> hashes{};  // sum modulo 2^128, low half first
    Key keys{};                        // XOR
    base::uint128 hash_sum() const { return (base::uint128{hashes[1]} << 64) | hashes[0]; }
    void add_hash(base::uint128 hash);
    void add(int64_t sign, base::uint128 hash, const Key& key, size_t words = kKeyBytes / 8);
  };
  static uint32_t cell_of(base::uint128 hash, uint32_t third);

  std::vector<Cell> cells_;
};

}  // namespace pg
