#pragma once

#include <span>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace verify {

/// What stands on tables and would act on rows that are deleted and put in: as statements that take it away
/// for one transaction, and bring it back as it was.
struct Guard {
  std::string label;  ///< "trigger audit of public.orders"
  std::string aside;
  std::string restore;
};

/// Of the tables with these oids, their partitions and what they are partitions of. With `replica_role`, what
/// fires and is checked all the same when session_replication_role is "replica"; else everything: triggers,
/// rules on DELETE (COPY knows none), foreign keys from and to the tables.
std::vector<Guard> read_guards(pg::Connection& target, std::span<const pg::Oid> tables, bool replica_role);

}  // namespace verify
