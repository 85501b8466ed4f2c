#include "copy/sql.h"

#include <fmt/format.h>

#include "pg/large_objects.h"

namespace copy {
namespace {

std::string options(const Relation& relation, bool freeze) {
  std::string out;
  if (relation.shape.format == pg::CopyFormat::binary) out = "FORMAT binary";
  if (freeze) out += out.empty() ? "FREEZE" : ", FREEZE";
  return out.empty() ? out : " WITH (" + out + ")";
}

// "(a, b)", or nothing for a table without columns, where COPY knows no empty list.
std::string column_list(const Relation& relation) {
  return relation.columns.empty() ? std::string() : "(" + pg::quote_list(relation.columns.list()) + ")";
}

// A plain COPY of the table spares the executor; a condition needs a query.
std::string copy_rows_sql(const Relation& relation, const std::string& from, bool only,
                          const pg::BlockRange& blocks) {
  auto where = blocks.condition();
  if (!relation.condition.empty())
    where = where.empty() ? relation.condition : fmt::format("{} AND ({})", where, relation.condition);
  if (where.empty() && only)
    return fmt::format("COPY {} {} TO STDOUT{}", from, column_list(relation), options(relation, false));
  return fmt::format("COPY (SELECT {} FROM {}{}{}{}) TO STDOUT{}", pg::quote_list(relation.columns.list()),
                     only ? "ONLY " : "", from, where.empty() ? "" : " WHERE ", where,
                     options(relation, false));
}

std::string large_objects_sql(const Relation& relation, uint32_t chunk) {
  const auto& bounds = relation.large_object_bounds;
  return pg::read_large_objects_sql(bounds[chunk], chunk + 1 < bounds.size() ? bounds[chunk + 1] : 0);
}

}  // namespace

std::string describe_chunk(const Relation& relation, uint32_t chunk) {
  if (relation.kind == Relation::Kind::large_objects)
    return fmt::format("oids from {}", relation.large_object_bounds[chunk]);
  if (relation.chunk_blocks == 0) return "all";
  const auto first = chunk * relation.chunk_blocks;
  if (chunk + 1 == relation.chunks) return fmt::format("blocks from {}", first);
  return fmt::format("blocks {}-{}", first, first + relation.chunk_blocks - 1);
}

std::string copy_out_sql(const Relation& relation, uint32_t chunk) {
  if (relation.kind == Relation::Kind::large_objects) return large_objects_sql(relation, chunk);
  return copy_rows_sql(relation, relation.name.sql(), true, relation.blocks(chunk));
}

std::string read_back_sql(const Relation& relation, const pg::BlockRange& blocks) {
  return copy_rows_sql(relation, relation.load_into().sql(), !relation.via_root(), blocks);
}

std::string read_back_large_objects_sql(const Relation& relation, uint32_t chunk) {
  return large_objects_sql(relation, chunk);
}

std::string copy_in_sql(const Relation& relation, bool freeze) {
  if (relation.kind == Relation::Kind::large_objects)
    return "COPY pg_temp.cutover_large_objects FROM STDIN WITH (FORMAT binary)";
  return fmt::format("COPY {} {} FROM STDIN{}", relation.load_into().sql(), column_list(relation),
                     options(relation, freeze));
}

std::string assert_empty_sql(const Relation& relation) {
  const auto check = fmt::format(
      "BEGIN IF EXISTS (SELECT FROM ONLY {}) THEN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = 'the table "
      "has rows'; "
      "END IF; END",
      relation.name.sql(), kNotEmpty);
  std::string tag = "$cutover$";
  while (check.find(tag) != std::string::npos) tag.insert(tag.size() - 1, "_");
  return "DO " + tag + check + tag;
}

std::string prepare_large_objects_sql() {
  return "CREATE TEMPORARY TABLE cutover_large_objects (loid oid, page bigint, data bytea) ON COMMIT DROP; "
         "ALTER TABLE pg_temp.cutover_large_objects ALTER data SET STORAGE EXTERNAL";
}

std::string make_large_objects_sql() {
  return "SELECT coalesce(pg_catalog.array_agg(pg_catalog.lo_create(loid)), '{}') FROM (SELECT DISTINCT loid "
         "FROM pg_temp.cutover_large_objects) o";
}

std::string store_large_objects_sql() {
  return fmt::format(
      "SELECT count(*) FROM (SELECT pg_catalog.lo_put(loid, page * {}, data) FROM "
      "pg_temp.cutover_large_objects OFFSET 0) p",
      pg::kLargeObjectPage);
}

}  // namespace copy
