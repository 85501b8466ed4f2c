#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pg/connection.h"
#include "pg/quote.h"

namespace pg {

/// What large objects, which lie in no schema, go by in patterns.
inline const QualifiedName kLargeObjects{"pg_catalog", "pg_largeobject"};

/// Pages in which large objects are read and written.
inline constexpr uint64_t kLargeObjectPage = 256 * 1024;

/// COPY … TO STDOUT in binary of the large objects with oids in [first, last) (last 0: to the end), as rows
/// of (oid, page number, bytes of the page), by public functions, so that no superuser is needed. An empty
/// object has one empty page: its existence shows.
std::string read_large_objects_sql(Oid first = 0, Oid last = 0);

/// A condition on a row of pg_largeobject_metadata: may we read that object? They have privileges of their
/// own, which no role has as a whole, and before version 18 no function tells.
std::string may_read_large_object_sql(std::string_view alias);

}  // namespace pg
