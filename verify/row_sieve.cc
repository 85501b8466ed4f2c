#include "verify/row_sieve.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace verify {
namespace {

constexpr uint64_t kFewestCells = 64;

// SplitMix64 (Steele, Lea and Flood, 2014): the places of one share have their low bits in common.
uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace

Share Share::split() {
  const Share other{number + of, of * 2};
  of *= 2;
  return other;
}

RowSieve::RowSieve(uint64_t bytes)
    : bits_(static_cast<unsigned>(
          std::countr_zero(std::bit_floor(std::max(bytes / sizeof(uint64_t), kFewestCells))))),
      sums_(uint64_t{1} << bits_) {}

std::array<uint64_t, RowSieve::kCellsOfRow> RowSieve::cells_of(uint64_t place) const {
  std::array<uint64_t, kCellsOfRow> cells{};
  for (auto& cell : cells) {
    place += 0x9E3779B97F4A7C15ULL;
    cell = mixed(place) >> (64 - bits_);
  }
  return cells;
}

void RowSieve::add(Role role, uint64_t place, base::uint128 hash) {
  const auto value = static_cast<uint64_t>(hash);
  for (const auto cell : cells_of(place))
    sums_[cell].fetch_add(role == Role::source ? value : -value, std::memory_order_relaxed);
}

void RowSieve::close() {
  is_set_.reserve(sums_.size());
  for (const auto& sum : sums_) is_set_.push_back(sum.load(std::memory_order_relaxed) != 0);
  fill_ = static_cast<double>(std::ranges::count(is_set_, true)) / static_cast<double>(is_set_.size());
  std::vector<std::atomic<uint64_t>>().swap(sums_);
}

bool RowSieve::may_differ(uint64_t place) const {
  return std::ranges::all_of(cells_of(place), [&](uint64_t cell) { return is_set_[cell]; });
}

// As many keys as would leave that many cells empty, each cell being chosen at random.
double RowSieve::keys() const {
  return -std::log1p(-std::min(fill_, kFullest)) * static_cast<double>(is_set_.size()) / kCellsOfRow;
}

}  // namespace verify
