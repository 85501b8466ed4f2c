#include "pg/binary_safety.h"

#include <set>
#include <string_view>

namespace pg {
namespace {

const std::set<std::string_view>& safe_built_in() {
  static const std::set<std::string_view> names = {
      "bool",    "bytea",  "char",          "name",       "int8",   "int2",      "int4",        "text",
      "oid",     "json",   "jsonb",         "jsonpath",   "point",  "lseg",      "path",        "box",
      "polygon", "line",   "circle",        "float4",     "float8", "macaddr",   "macaddr8",    "inet",
      "cidr",    "bpchar", "varchar",       "date",       "time",   "timestamp", "timestamptz", "interval",
      "timetz",  "bit",    "varbit",        "numeric",    "uuid",   "money",     "pg_lsn",      "xid",
      "xid8",    "tid",    "txid_snapshot", "pg_snapshot"};
  return names;
}

// Their send functions write the value alone: text, or a format with a version of its own.
const std::set<std::string_view>& safe_of_extensions() {
  static const std::set<std::string_view> names = {"citext",   "hstore",    "ltree",  "lquery",  "ltxtquery",
                                                   "geometry", "geography", "vector", "halfvec", "sparsevec"};
  return names;
}

}  // namespace

// Composite types and their arrays, of which there are two for each table, are left out: none of them is
// safe, as no type that is not known is.
BinarySafety::BinarySafety(Connection& connection) {
  const bool multiranges = connection.major() >= 14;
  const auto rows = connection.exec(
      std::string(
          "SELECT t.oid, t.typname, n.nspname = 'pg_catalog' AND t.oid < 16384, t.typtype, t.typcategory, "
          "t.typelem, coalesce(nullif(t.typbasetype, 0), r.rngsubtype, 0), "
          "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = "
          "'pg_catalog.pg_type'::pg_catalog.regclass "
          "AND d.objid = t.oid AND d.deptype = 'e'), t.typsend <> 0 AND t.typreceive <> 0 "
          "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
          "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem "
          "LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid") +
      (multiranges ? " OR r.rngmultitypid = t.oid" : "") +
      " WHERE t.typtype <> 'c' AND e.typtype IS DISTINCT FROM 'c'");
  for (int row = 0; row < rows.rows(); ++row) {
    Type type{rows.string(row, 1),    rows.boolean(row, 2), rows.character(row, 3),
              rows.character(row, 4), rows.oid(row, 5),     rows.oid(row, 6)};
    const bool of_extension = rows.boolean(row, 7);
    const bool has_binary = rows.boolean(row, 8);
    // An extension's base type counts by its name only when it really belongs to an extension, and when that
    // extension is recent enough to have a binary form for it (ltree has one since 1.2).
    if (!type.built_in && type.kind == 'b' && type.category != 'A' && !(of_extension && has_binary))
      type.name.clear();
    types_.emplace(rows.oid(row, 0), std::move(type));
  }
}

bool BinarySafety::is_safe(Oid oid) const {
  const auto found = types_.find(oid);
  if (found == types_.end()) return false;
  const auto& type = found->second;
  switch (type.kind) {
    case 'e':
      return true;
    case 'd':
    case 'r':
    case 'm':
      return is_safe(type.base);
    case 'b':
      break;
    default:
      return false;
  }
  // int2vector and oidvector look like arrays, but their receive functions take no lower bound but 0.
  if (type.name.ends_with("int2vector") || type.name.ends_with("oidvector")) return false;
  if (type.category == 'A' && type.element != 0) {
    const auto element = types_.find(type.element);
    return type.built_in && element != types_.end() && element->second.built_in && is_safe(type.element);
  }
  return type.built_in ? safe_built_in().contains(type.name) : safe_of_extensions().contains(type.name);
}

}  // namespace pg
