#include "pg/row_sketch.h"

#include <algorithm>
#include <cstring>

namespace pg {

void RowSketch::Cell::add_hash(base::uint128 hash) {
  const auto sum = hash_sum() + hash;
  hashes = {static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64)};
}

void RowSketch::Cell::add(int64_t sign, base::uint128 hash, const Key& key, size_t words) {
  count += sign;
  add_hash(sign > 0 ? hash : -hash);
  for (size_t i = 0; i < words; ++i) keys[i] ^= key[i];
}

// The hash is uniform: other bits of it for each third.
uint32_t RowSketch::cell_of(base::uint128 hash, uint32_t third) {
  return third * kThird + (static_cast<uint32_t>(hash >> (third * 20)) & (kThird - 1));
}

void RowSketch::add(base::uint128 row_hash, base::Bytes key) {
  Key words{};
  const auto size = std::min(key.size(), kKeyBytes);
  std::memcpy(words.data(), key.data(), size);
  // What is behind a short key is zero, and changes nothing.
  const auto used = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
  for (uint32_t third = 0; third < 3; ++third) cells_[cell_of(row_hash, third)].add(1, row_hash, words, used);
}

RowSketch& RowSketch::operator+=(const RowSketch& other) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].count += other.cells_[i].count;
    cells_[i].add_hash(other.cells_[i].hash_sum());
    for (size_t k = 0; k < cells_[i].keys.size(); ++k) cells_[i].keys[k] ^= other.cells_[i].keys[k];
  }
  return *this;
}

RowSketch& RowSketch::operator-=(const RowSketch& other) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].count -= other.cells_[i].count;
    cells_[i].add_hash(-other.cells_[i].hash_sum());
    for (size_t k = 0; k < cells_[i].keys.size(); ++k) cells_[i].keys[k] ^= other.cells_[i].keys[k];
  }
  return *this;
}

std::optional<std::vector<RowSketch::Row>> RowSketch::decode() const {
  auto cells = cells_;
  std::vector<Row> rows;
  std::vector<uint32_t> work(kCells);
  for (uint32_t i = 0; i < kCells; ++i) work[i] = i;
  while (!work.empty()) {
    const auto at = work.back();
    work.pop_back();
    const auto cell = cells[at];
    if (cell.count != 1 && cell.count != -1) continue;
    const auto hash = cell.count > 0 ? cell.hash_sum() : -cell.hash_sum();
    // A mixture of rows that looks like one: its hash belongs elsewhere, with near certainty.
    if (cell_of(hash, at / kThird) != at) continue;
    if (rows.size() == kCells) return std::nullopt;
    Row row{hash, std::string(kKeyBytes, '\0'), cell.count > 0};
    std::memcpy(row.key.data(), cell.keys.data(), kKeyBytes);
    rows.push_back(std::move(row));
    for (uint32_t third = 0; third < 3; ++third) {
      cells[cell_of(hash, third)].add(-cell.count, hash, cell.keys);
      work.push_back(cell_of(hash, third));
    }
  }
  const bool is_empty =
      std::ranges::all_of(cells, [](const Cell& cell) { return cell.count == 0 && cell.hash_sum() == 0; });
  return is_empty ? std::optional(std::move(rows)) : std::nullopt;
}

}  // namespace pg
