#include "verify/result.h"

#include <algorithm>
#include <numeric>

namespace verify {

uint64_t Outcome::count(State state) const {
  return static_cast<uint64_t>(std::ranges::count(tables, state, &TableResult::state));
}

uint64_t Outcome::rows() const {
  return std::accumulate(tables.begin(), tables.end(), uint64_t{0},
                         [](uint64_t sum, const auto& table) { return sum + table.source.digest.rows; });
}

uint64_t Outcome::difference_count() const {
  return differences.size() + count(State::different) + (catalog ? catalog->differences.size() : 0);
}

uint64_t Outcome::unchecked_count() const {
  return unchecked.size() + count(State::unchecked) + (catalog ? catalog->unchecked.size() : 0);
}

int Outcome::exit_code() const {
  // As everywhere in this program, what could not be done outweighs a difference; both are named.
  if (unchecked_count() > 0) return 3;
  if (difference_count() > 0) return 1;
  return user_waived ? 5 : 0;
}

}  // namespace verify
