#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "verify/pass.h"
#include "verify/result.h"
#include "verify/unit.h"

namespace verify {

// Digests that the servers compute themselves, for sites where sending rows is dear: almost nothing is sent,
// and the servers work about twice as much.
//
// A row's two hashes are hashtextextended() of the text of the row, each with a seed that is drawn for the
// comparison; a table's digest is its count and the two sums. That is no cryptographic hash, nor a keyed one
// in the strict sense: it finds accidents, not intent. It also depends on both servers' hashing alike, which
// is tried before.

/// Throws Error{usage} when both servers do not make the same of some fifty fixed values.
void require_same_hashes(const Context& context);

/// Of one unit.
struct ServerReading {
  PerSide<SideFigures> figures;
  bool equal = false;
  bool failed = false;
  std::string reason;
  std::string hint;
};

/// Nothing for what servers cannot digest: large objects.
std::vector<std::optional<ServerReading>> read_at_servers(const Context& context,
                                                          const std::vector<Unit>& units);

}  // namespace verify
