#include "copy/index_build.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace copy {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

bool is_attachable(const pg::Index& index) {
  return !index.on_partitioned && (index.constraint_type == 'p' || index.constraint_type == 'u');
}

}  // namespace

std::vector<IndexItem> index_items(const Plan& plan, const SchemaItems& schema) {
  std::unordered_map<pg::Oid, const pg::Index*> by_index;
  std::unordered_map<pg::Oid, const pg::Index*> by_constraint;
  for (const auto& index : plan.indexes) {
    by_index.emplace(index.oid, &index);
    if (index.constraint != 0) by_constraint.emplace(index.constraint, &index);
  }
  std::unordered_map<pg::Oid, uint32_t> relations;
  for (uint32_t i = 0; i < plan.relations.size(); ++i) relations.emplace(plan.relations[i].oid, i);

  std::vector<IndexItem> items;
  items.reserve(schema.indexes.size());
  for (const auto& entry : schema.indexes) {
    const auto* index = (entry.description == "INDEX" ? by_index : by_constraint).at(entry.oid);
    items.push_back({&entry, index, relations.at(index->table)});
  }
  return items;
}

std::string build_index_sql(const IndexItem& item) {
  if (item.entry->description == "INDEX") return item.entry->sql;
  return is_attachable(*item.index) ? item.index->definition : std::string();
}

std::string add_constraint_sql(const Plan& plan, const IndexItem& item) {
  const auto& index = *item.index;
  if (item.entry->description == "INDEX") return {};
  if (!is_attachable(index)) return item.entry->sql;
  const auto name = pg::quote_identifier(index.name.name);
  auto sql = fmt::format(
      "ALTER TABLE ONLY {} ADD CONSTRAINT {} {} USING INDEX {}{}", plan.relations[item.relation].name.sql(),
      name, index.constraint_type == 'p' ? "PRIMARY KEY" : "UNIQUE", name, index.constraint_options);
  const auto statements = split_statements(item.entry->sql);
  for (size_t i = 1; i < statements.size(); ++i) sql += ";\n" + statements[i];
  return sql;
}

std::string index_settings_sql(const pg::Index& index, unsigned helpers) {
  const bool sorts = index.method == "btree";
  // A sort of the whole index in memory is about twice its size; more than that is never used. GIN gathers
  // keys in a tree, which is fastest while it fits the processor's caches (2 million rows of jsonb: 13 CPU
  // seconds with 8 MB, 12 with 32 and 64, 18 with 256).
  const auto memory =
      sorts ? std::clamp<uint64_t>(2 * index.bytes, 64 * kMegabyte, 512 * kMegabyte) : 32 * kMegabyte;
  const bool parallel = sorts && index.bytes >= 64 * kMegabyte;
  return fmt::format("SET maintenance_work_mem = '{}kB'; SET max_parallel_maintenance_workers = {}",
                     memory / 1024, parallel ? std::min(helpers, 2U) : 0);
}

}  // namespace copy
