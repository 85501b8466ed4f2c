#pragma once

#include <string>
#include <vector>

#include "copy/context.h"
#include "copy/schema.h"

namespace copy {

/// An INDEX or CONSTRAINT entry of the schema, with what the catalog said of it.
struct IndexItem {
  const StoredEntry* entry = nullptr;
  const pg::Index* index = nullptr;
  uint32_t relation = 0;  ///< index into Plan::relations

  /// Has it a first step, which takes time: is there an index to build? An exclusion constraint's comes with
  /// it.
  bool is_built_first() const;
  /// Has it a second one?
  bool is_added_last() const { return !entry->is_index; }
};

/// All of SchemaItems::indexes, in the same order.
std::vector<IndexItem> index_items(const Plan& plan, const SchemaItems& schema);

/// The first step of an item, the one that takes time. A primary key or unique constraint on a relation with
/// rows becomes a plain CREATE UNIQUE INDEX, which lets other indexes of the table be built at the same time;
/// attaching it is add_constraint_sql(). Empty: there is no first step. `entry` is the item's, read.
std::string build_index_sql(const IndexItem& item, const TocEntry& entry);
/// The second step; empty for a plain index. The entry's other statements (CLUSTER ON, REPLICA IDENTITY)
/// follow it.
std::string add_constraint_sql(const Plan& plan, const IndexItem& item, const TocEntry& entry);
/// Settings for the session before the first step; `helpers` is how many parallel workers there is room for.
std::string index_settings_sql(const pg::Index& index, unsigned helpers);

}  // namespace copy
