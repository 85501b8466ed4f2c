#include "pg/block_range.h"

#include <fmt/format.h>

namespace pg {

std::string BlockRange::condition() const {
  std::string out;
  if (first > 0) out = fmt::format("ctid >= '({},0)'::pg_catalog.tid", first);
  if (last > 0) out += fmt::format("{}ctid < '({},0)'::pg_catalog.tid", out.empty() ? "" : " AND ", last);
  return out;
}

}  // namespace pg
