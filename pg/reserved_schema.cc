#include "pg/reserved_schema.h"

#include <fmt/format.h>

namespace pg {

namespace {

std::string own_tables_values() {
  std::string values;
  for (const auto& table : kOwnTables)
    values += fmt::format("{}('{}', '{}')", values.empty() ? "" : ", ", table.name, table.columns);
  return values;
}

}  // namespace

std::vector<Stranger> read_strangers(Connection& connection) {
  const auto rows = connection.exec(fmt::format(R"(
    WITH ours (name, columns) AS (VALUES {})
    SELECT i.type, i.identity, coalesce(c.relname::text, '')
      FROM pg_catalog.pg_namespace n
      JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid
      LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
     CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
     WHERE n.nspname = 'cutover'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
       AND NOT EXISTS (SELECT FROM ours o WHERE o.name = c.relname AND c.relkind = 'r' AND o.columns = (
                         SELECT pg_catalog.string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
     ORDER BY 1, 2)",
                                                own_tables_values()));
  std::vector<Stranger> strangers;
  for (int row = 0; row < rows.rows(); ++row)
    strangers.push_back({rows.string(row, 0), rows.string(row, 1), {kReservedSchema, rows.string(row, 2)}});
  return strangers;
}

}  // namespace pg
