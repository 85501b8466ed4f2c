#include "pg/row_sketch.h"

#include <algorithm>
#include <cstring>

namespace pg {

void RowSketch::Cell::add(int64_t sign, base::uint128 hash, const Key& key) {
  count += sign;
  hashes += sign > 0 ? hash : -hash;
  for (size_t i = 0; i < key.size(); ++i) keys[i] ^= key[i];
}

// The hash is uniform: other bits of it for each third.
uint32_t RowSketch::cell_of(base::uint128 hash, uint32_t third) {
  return third * kThird + (static_cast<uint32_t>(hash >> (third * 20)) & (kThird - 1));
}

void RowSketch::add(base::uint128 row_hash, base::Bytes key) {
  Key words{};
  std::memcpy(words.data(), key.data(), std::min(key.size(), kKeyBytes));
  for (uint32_t third = 0; third < 3; ++third) cells_[cell_of(row_hash, third)].add(1, row_hash, words);
}

RowSketch& RowSketch::operator+=(const RowSketch& other) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].count += other.cells_[i].count;
    cells_[i].hashes += other.cells_[i].hashes;
    for (size_t k = 0; k < cells_[i].keys.size(); ++k) cells_[i].keys[k] ^= other.cells_[i].keys[k];
  }
  return *this;
}

RowSketch& RowSketch::operator-=(const RowSketch& other) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].count -= other.cells_[i].count;
    cells_[i].hashes -= other.cells_[i].hashes;
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
    const auto hash = cell.count > 0 ? cell.hashes : -cell.hashes;
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
      std::ranges::all_of(cells, [](const Cell& cell) { return cell.count == 0 && cell.hashes == 0; });
  return is_empty ? std::optional(std::move(rows)) : std::nullopt;
}

}  // namespace pg
