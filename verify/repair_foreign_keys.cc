#include "verify/repair_foreign_keys.h"

#include <map>

#include <fmt/format.h>

#include "pg/foreign_key_check.h"

namespace verify {
namespace {

bool concerns(const pg::ForeignKey& key, const std::set<pg::QualifiedName>& touched) {
  return key.validated && !key.inherited && (touched.contains(key.table) || touched.contains(key.referenced));
}

}  // namespace

std::set<pg::QualifiedName> touched_tables(std::span<const TableWork> works, const pg::Catalog& target) {
  std::map<pg::Oid, const pg::Table*> by_oid;
  for (const auto& table : target.tables) by_oid.emplace(table.oid, &table);
  const auto parent_of = [&](const pg::Table& table) {
    const auto found = by_oid.find(table.parent);
    return found == by_oid.end() ? nullptr : found->second;
  };
  std::set<pg::QualifiedName> out;
  std::set<pg::Oid> whole_trees;
  for (const auto& work : works) {
    for (const auto* table = work.target; table; table = parent_of(*table)) out.insert(table->name);
    if (work.whole_tree) whole_trees.insert(work.target->oid);
  }
  for (const auto& table : target.tables)
    for (const auto* above = parent_of(table); above; above = parent_of(*above))
      if (whole_trees.contains(above->oid)) out.insert(table.name);
  return out;
}

std::set<std::string> other_ends(const std::set<pg::QualifiedName>& touched, const pg::Catalog& target) {
  std::set<std::string> out;
  for (const auto& key : target.foreign_keys) {
    if (!concerns(key, touched)) continue;
    out.insert((key.on_partitioned ? "" : "ONLY ") + key.table.sql());
    out.insert((key.to_partitioned ? "" : "ONLY ") + key.referenced.sql());
  }
  return out;
}

void check_foreign_keys(pg::Connection& target, const std::set<pg::QualifiedName>& touched) {
  for (const auto& key : pg::read_foreign_keys(target)) {
    if (!concerns(key, touched)) continue;
    if (const auto offending = pg::offending_keys(target, key); !offending.empty())
      throw base::Error(base::ErrorKind::permanent,
                        fmt::format("foreign key {} of {} would be violated: {}",
                                    pg::display_identifier(key.name), key.table.display(), offending),
                        "let the repair mend both tables: select them, or allow --recopy");
  }
}

}  // namespace verify
