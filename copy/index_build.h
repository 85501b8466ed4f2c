#pragma once

#include <string>
#include <vector>

#include "copy/context.h"
#include "copy/schema.h"

namespace copy {

/// An INDEX or CONSTRAINT entry of the schema, with what the catalog said of it.
struct IndexItem {
  const TocEntry* entry = nullptr;
  const pg::Index* index = nullptr;
  uint32_t relation = 0;  ///< index into Plan::relations
};

/// All of SchemaItems::indexes, in the same order.
std::vector<IndexItem> index_items(const Plan& plan, const SchemaItems& schema);

/// The first step of an item, the one that takes time. A primary key or unique constraint on a relation with
/// rows becomes a plain CREATE UNIQUE INDEX, which lets other indexes of the table be built at the same time;
/// attaching it is add_constraint_sql(). Empty: there is no first step (an exclusion constraint).
std::string build_index_sql(const IndexItem& item);
/// The second step; empty for a plain index. The entry's other statements (CLUSTER ON, REPLICA IDENTITY)
/// follow it.
std::string add_constraint_sql(const Plan& plan, const IndexItem& item);
/// Settings for the session before the first step; `helpers` is how many parallel workers there is room for.
std::string index_settings_sql(const pg::Index& index, unsigned helpers);

}  // namespace copy
