#pragma once

#include <map>
#include <string>

namespace support {

/// What a database holds, by an independent reckoning: EXPECT_EQ of two of these names what differs.
///   "table public.orders"     -> "columns (id, note): 17 rows, digest 123…"
///   "sequence public.ids"     -> "last_value 17, is_called t"
///   "large object 16401"      -> "5 bytes, md5 …"
/// The digest is a sum over the rows of md5s of their text, with the columns in the order of their names:
/// neither the order of rows nor of columns counts. Partitioned tables count as a whole, since rows may lie
/// in other leaves; tables with children count by themselves. Materialized views count as tables. Left out:
/// schema cutover, foreign tables, temporary tables.
std::map<std::string, std::string> database_digest(const std::string& url);

/// pg_dump --schema-only without comments, SET commands, blank lines and the schema cutover. For version 15
/// and older.
std::string schema_dump(const std::string& url);

}  // namespace support
