#include "verify/collation_versions.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "verify/catalog_query.h"

namespace verify {
namespace {

constexpr size_t kMostIndexes = 10;
constexpr pg::Oid kDefaultCollation = 100;  // DEFAULT_COLLATION_OID
constexpr int kFirstMajorWithDatabaseVersion = 15;

/// Collations by the user's indexes, as "indexes(id, names)".
std::string indexes_by_collation() {
  return fmt::format(
      "(SELECT k.id, array_agg(DISTINCT {}) AS names FROM pg_index i CROSS JOIN LATERAL "
      "unnest(i.indcollation::oid[]) k(id) JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON "
      "n.oid = c.relnamespace WHERE k.id <> 0 AND c.relpersistence <> 't' AND {} GROUP BY k.id) indexes",
      qualified("c.relname"), in_user_schema());
}

// Only of those that an index uses: a library has hundreds of others.
std::string collations_sql() {
  return fmt::format(
      "SELECT 'collation ' || {0}, c.collversion, v.version, indexes.names, 'ALTER COLLATION ' || {0} || ' "
      "REFRESH VERSION' FROM {1} JOIN pg_collation c ON c.oid = indexes.id JOIN pg_namespace n ON n.oid = "
      "c.collnamespace CROSS JOIN LATERAL (SELECT pg_collation_actual_version(c.oid) AS version) v "
      "WHERE c.collversion IS NOT NULL AND c.collversion IS DISTINCT FROM v.version ORDER BY 1",
      qualified("c.collname"), indexes_by_collation());
}

std::string database_sql() {
  return fmt::format(
      "SELECT 'database''s own collation', b.datcollversion, v.version, indexes.names, 'ALTER DATABASE ' || "
      "quote_ident(b.datname) || ' REFRESH COLLATION VERSION' FROM {} JOIN pg_database b ON indexes.id = {} "
      "CROSS JOIN LATERAL (SELECT pg_database_collation_actual_version(b.oid) AS version) v "
      "WHERE b.datname = current_database() AND b.datcollversion IS NOT NULL AND b.datcollversion IS "
      "DISTINCT "
      "FROM v.version",
      indexes_by_collation(), kDefaultCollation);
}

Remark remark_of(const pg::Result& rows, int row) {
  auto indexes = rows.array(row, 3);
  const auto count = indexes.size();
  indexes.resize(std::min(count, kMostIndexes));
  const auto more = count - indexes.size();
  return {rows.string(row, 0),
          fmt::format("is recorded at the target with version {}, but its library now has {}: indexes that "
                      "were built before may miss rows: {}{}",
                      rows.string(row, 1), rows.is_null(row, 2) ? "none" : rows.string(row, 2),
                      fmt::join(indexes, ", "), more == 0 ? "" : fmt::format(" and {} more", more)),
          fmt::format("REINDEX INDEX each of them, then {}", rows.string(row, 4))};
}

}  // namespace

std::vector<Remark> outdated_collations(pg::Connection& connection) {
  std::vector<Remark> out;
  const auto add = [&](const std::string& sql) {
    const auto rows = connection.exec(sql);
    for (int row = 0; row < rows.rows(); ++row) out.push_back(remark_of(rows, row));
  };
  connection.exec("SAVEPOINT collation_versions");
  try {
    if (connection.major() >= kFirstMajorWithDatabaseVersion) add(database_sql());
    add(collations_sql());
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::permanent || error.sqlstate().empty() || !connection.alive()) throw;
    connection.exec("ROLLBACK TO SAVEPOINT collation_versions");
    out.push_back({"collations of the target",
                   "nobody knows whether their versions are the library's: " + error.message(),
                   {}});
  }
  connection.exec("RELEASE SAVEPOINT collation_versions");
  return out;
}

}  // namespace verify
