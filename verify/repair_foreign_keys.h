#pragma once

#include <set>
#include <span>

#include "verify/repair_plan.h"

namespace verify {

/// The tables whose rows a repair changes, the partitioned tables that they belong to, and the partitions
/// that they consist of.
std::set<pg::QualifiedName> touched_tables(std::span<const TableWork> works, const pg::Catalog& target);

/// What is at the other end of the foreign keys from and to `touched`, as LOCK TABLE names it.
std::set<std::string> other_ends(const std::set<pg::QualifiedName>& touched, const pg::Catalog& target);

/// Throws Error{permanent} when rows violate a foreign key from or to `touched`: where keys are switched off,
/// nobody else looks.
void check_foreign_keys(pg::Connection& target, const std::set<pg::QualifiedName>& touched);

}  // namespace verify
