#pragma once

#include <cstdint>
#include <string>

#include "copy/plan.h"
#include "pg/block_range.h"

namespace copy {

/// The statements of the data phase, as text. All names are qualified and quoted.

/// "blocks 0-16384", "all", "oids from 16401": for people and for the ledger.
std::string describe_chunk(const Relation& relation, uint32_t chunk);

/// COPY … TO STDOUT of one chunk, at the source.
std::string copy_out_sql(const Relation& relation, uint32_t chunk);
/// COPY … TO STDOUT of what the relation's rows became at the target. For a relation loaded via its root it
/// reads the whole tree.
std::string read_back_sql(const Relation& relation, const pg::BlockRange& blocks);
/// The same for a chunk of large objects.
std::string read_back_large_objects_sql(const Relation& relation, uint32_t chunk);
/// COPY … FROM STDIN into the target.
std::string copy_in_sql(const Relation& relation, bool freeze);
/// Raises an error with SQLSTATE kNotEmpty when the relation's target table has rows.
std::string assert_empty_sql(const Relation& relation);
inline constexpr const char* kNotEmpty = "CUT01";

/// Around the copy-in of large objects: rows go to a temporary table, from there into the objects, which are
/// made by a query of one row, the array of their oids.
std::string prepare_large_objects_sql();
std::string make_large_objects_sql();
std::string store_large_objects_sql();

}  // namespace copy
