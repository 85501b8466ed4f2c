#include "pg/foreign_key_check.h"

#include <fmt/format.h>

namespace pg {

std::string offending_keys(Connection& target, const ForeignKey& key) {
  std::string join;
  std::string present;
  std::string absent;
  std::string names;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    const auto column = quote_identifier(key.columns[i]);
    join += fmt::format("{}r.{} {} f.{}", i == 0 ? "" : " AND ", quote_identifier(key.referenced_columns[i]),
                        key.equals[i], column);
    present += fmt::format(" AND f.{} IS NOT NULL", column);
    absent += fmt::format("{}f.{} IS NULL", i == 0 ? "" : " AND ", column);
    names += (i == 0 ? "" : ", ") + display_identifier(key.columns[i]);
  }
  // MATCH FULL allows no key that is NULL in part.
  if (key.match_full) present = fmt::format(" AND NOT ({})", absent);
  // A foreign key is about the rows of its own two tables, not about those that inherit from them; only a
  // partitioned one includes its leaves.
  const auto rows = target.exec(fmt::format(
      "SELECT sum(count) OVER ()::bigint, key FROM (SELECT count(*), ROW({0})::text AS key FROM {1}{2} f "
      "WHERE NOT EXISTS (SELECT FROM {3}{4} r WHERE {5}){6} GROUP BY 2) bad ORDER BY 2 LIMIT 10",
      quote_list(key.columns), key.on_partitioned ? "" : "ONLY ", key.table.sql(),
      key.to_partitioned ? "" : "ONLY ", key.referenced.sql(), join, present));
  if (rows.rows() == 0) return {};
  std::string keys;
  for (int row = 0; row < rows.rows(); ++row)
    keys += fmt::format("{}{}", row == 0 ? "" : ", ", rows.text(row, 1));
  return fmt::format("{} rows refer to keys that {} does not have: ({}) = {}", rows.text(0, 0),
                     key.referenced.display(), names, keys);
}

}  // namespace pg
