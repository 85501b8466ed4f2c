#pragma once

#include <string>

#include "pg/catalog.h"
#include "pg/connection.h"

namespace pg {

/// Looks for rows that a foreign key would have refused: those whose key is not there, by one anti-join with
/// the key's own operators. "2 rows refer to keys that public.parent does not have: (a, b) = (3,3), (4,4)",
/// at most ten keys; empty when there is none. The key need not exist on the target, its columns must.
std::string offending_keys(Connection& target, const ForeignKey& key);

}  // namespace pg
