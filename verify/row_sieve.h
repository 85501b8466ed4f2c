#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/uint128.h"
#include "verify/side.h"

namespace verify {

/// A part of all rows, by the low bits of each one's place, which is a hash of its key (of the whole row,
/// without one). Rows of one key are in one share, at both sides.
struct Share {
  uint64_t number = 0;
  uint64_t of = 1;  ///< a power of two
  bool has(uint64_t place) const { return (place & (of - 1)) == number; }
  /// Keeps one half, and gives the other.
  Share split();
};

/// Tells, of two sets of rows of whatever size and in constant memory, which rows may differ. Every row adds
/// its hash to three cells that its place chooses, the source's with plus and the target's with minus: what
/// is equal on both sides leaves nothing behind, in whatever order it came. A row may differ when none of its
/// cells is zero. That a row differs and is not told has a probability of 2^-62; that a row is told and is
/// equal depends on how full the cells are: a few of a million where one cell of a hundred is not zero.
///
/// It saves passes and decides nothing: whoever asks counts together what was found.
class RowSieve {
 public:
  /// Fuller than this, nothing can be said of how many keys there are.
  static constexpr double kFullest = 0.998;

  /// Takes that much memory until close(), and then a 64th of it.
  explicit RowSieve(uint64_t bytes);

  /// Thread-safe.
  void add(Role role, uint64_t place, base::uint128 hash);
  /// What a reader that failed has added cannot be taken out again: the sieve is of no use. Thread-safe.
  void spoil() { is_spoiled_ = true; }
  bool is_spoiled() const { return is_spoiled_; }

  /// Nothing is added any more.
  void close();
  bool may_differ(uint64_t place) const;
  /// The share of cells that are not zero, between 0 and 1.
  double fill() const { return fill_; }
  /// About how many keys have rows that differ; too few when the sieve is full.
  double keys() const;

 private:
  static constexpr unsigned kCellsOfRow = 3;
  std::array<uint64_t, kCellsOfRow> cells_of(uint64_t place) const;

  unsigned bits_;  // of a cell's number
  std::vector<std::atomic<uint64_t>> sums_;
  std::vector<bool> is_set_;
  std::atomic<bool> is_spoiled_ = false;
  double fill_ = 0;
};

}  // namespace verify
