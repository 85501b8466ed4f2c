#pragma once

#include <array>
#include <string>
#include <vector>

#include "pg/connection.h"
#include "pg/quote.h"

namespace pg {

/// The schema of the ledger, and of the fence's note: no part of what is moved.
inline constexpr const char* kReservedSchema = "cutover";

/// A table of that schema that is ours, and its columns in order (copy/ledger and copy/quiet make them).
struct OwnTable {
  const char* name;
  const char* columns;
};
inline constexpr std::array kOwnTables{
    OwnTable{"run", "run_id source tool_version started_at finished_at"},
    OwnTable{"chunk",
             "run_id relation chunk name bounds rows bytes digest buckets snapshot transaction committed_at"},
    OwnTable{"item", "run_id item description schema name committed_at"},
    OwnTable{"large_objects", "run_id relation chunk oids"},
    OwnTable{"crash_mark", "run_id"},
    OwnTable{"quieted", "run_id kind schema relation name definition comment"}};

/// Something in that schema that is none of ours: a user's own schema may have that name.
struct Stranger {
  std::string kind;      ///< "table", "function", as pg_identify_object() has it
  std::string identity;  ///< "cutover.mine", "cutover.f(integer)"
  QualifiedName name;    ///< as patterns of names mean it: of what is no relation, the schema alone
  std::string display() const { return kind + " " + identity; }
};

/// What is neither a table of the ledger, which are known by their names and columns, nor an extension's.
std::vector<Stranger> read_strangers(Connection& connection);

}  // namespace pg
