#include "copy/index_build.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace copy {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

// A key WITHOUT OVERLAPS (since 18) has a GiST index, which no constraint can take over.
bool is_attachable(const pg::Index& index) {
  return !index.on_partitioned && (index.constraint_type == 'p' || index.constraint_type == 'u') &&
         index.words().method == "btree";
}

// Where in a list something is, by an oid of it. Sorted, which takes a fifth of what a map does.
class Positions {
 public:
  template <typename List, typename Key>
  Positions(const List& list, Key oid_of) {
    positions_.reserve(list.size());
    for (uint32_t i = 0; i < list.size(); ++i) positions_.emplace_back(oid_of(list[i]), i);
    std::ranges::sort(positions_);
  }
  uint32_t at(pg::Oid oid) const {
    const auto found = std::ranges::lower_bound(positions_, oid, {}, &Position::first);
    if (found == positions_.end() || found->first != oid)
      base::fail(base::ErrorKind::corrupt, "the schema has an object (oid {}) that the plan lacks", oid);
    return found->second;
  }

 private:
  using Position = std::pair<pg::Oid, uint32_t>;
  std::vector<Position> positions_;
};

}  // namespace

bool IndexItem::is_built_first() const { return entry->is_index || is_attachable(*index); }

std::vector<IndexItem> index_items(const Plan& plan, const SchemaItems& schema) {
  Positions by_index(plan.indexes, [](const auto& index) { return index.oid; });
  Positions by_constraint(plan.indexes, [](const auto& index) { return index.constraint; });
  Positions relations(plan.relations, [](const auto& relation) { return relation.oid; });

  std::vector<IndexItem> items;
  items.reserve(schema.indexes.size());
  for (const auto& entry : schema.indexes) {
    const auto& index = plan.indexes[(entry.is_index ? by_index : by_constraint).at(entry.oid)];
    items.push_back({&entry, &index, relations.at(index.table)});
  }
  return items;
}

std::string build_index_sql(const IndexItem& item, const TocEntry& entry) {
  if (!item.is_built_first()) return {};
  return item.entry->is_index ? entry.sql : item.index->words().definition;
}

std::string add_constraint_sql(const Plan& plan, const IndexItem& item, const TocEntry& entry) {
  const auto& index = *item.index;
  if (!item.is_added_last()) return {};
  if (!is_attachable(index)) return entry.sql;
  const auto words = index.words();
  const auto name = pg::quote_identifier(words.name.name);
  auto sql = fmt::format(
      "ALTER TABLE ONLY {} ADD CONSTRAINT {} {} USING INDEX {}{}", plan.relations[item.relation].name.sql(),
      name, index.constraint_type == 'p' ? "PRIMARY KEY" : "UNIQUE", name, words.constraint_options);
  const auto statements = split_statements(entry.sql);
  for (size_t i = 1; i < statements.size(); ++i) sql += ";\n" + statements[i];
  return sql;
}

std::string index_settings_sql(const pg::Index& index, unsigned helpers) {
  const bool sorts = index.words().method == "btree";
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
