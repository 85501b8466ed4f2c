// The stored form of a plan: JSON, so that a person can read what a run decided.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "copy/plan.h"

namespace pg {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QualifiedName, schema, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RowShape, format, columns, key, buckets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Index, oid, table, name, method, bytes, constraint, constraint_type,
                                   on_partitioned, valid, definition, constraint_options)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ForeignKey, oid, table, name, referenced, validated, inherited, definition,
                                   columns, referenced_columns, equals, match_full, on_partitioned,
                                   to_partitioned)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Sequence, oid, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Extension, name, version, schema)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RoleUse, name, owns, granted, named)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DatabaseSetting, role, setting)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Database, name, encoding, collation, comment, settings)
NLOHMANN_JSON_SERIALIZE_ENUM(CopyFormat, {{CopyFormat::binary, "binary"}, {CopyFormat::text, "text"}})

}  // namespace pg

namespace copy {

NLOHMANN_JSON_SERIALIZE_ENUM(SchemaMode, {{SchemaMode::dump, "dump"}, {SchemaMode::none, "none"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Relation::Kind, {{Relation::Kind::table, "table"},
                                              {Relation::Kind::large_objects, "large objects"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Relation, kind, oid, name, load_into, condition, columns, types, shape,
                                   filenode, bytes, row_estimate, index_cost, chunk_blocks, chunks,
                                   large_object_bounds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Plan, version, source_version, source_major, database, client_encoding,
                                   schema, selection, relations, indexes, foreign_keys, sequences, extensions,
                                   materialized_views, unpopulated_views, excluded_tables, excluded_schemas,
                                   roles, foreign_tables, partitioned_tables)

std::string Plan::to_json() const {
  // Names in a SQL_ASCII database need not be UTF-8.
  return nlohmann::json(*this).dump(-1, ' ', false, nlohmann::json::error_handler_t::strict);
}

Plan Plan::from_json(std::string_view text) {
  try {
    auto plan = nlohmann::json::parse(text).get<Plan>();
    if (plan.version != 1)
      base::fail(base::ErrorKind::usage,
                 "the plan has format {}, this program knows format 1: it was made by another version",
                 plan.version);
    return plan;
  } catch (const nlohmann::json::exception& error) {
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("the stored plan cannot be read: {}", error.what()));
  }
}

}  // namespace copy
