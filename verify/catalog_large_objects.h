#pragma once

#include "pg/connection.h"
#include "verify/catalog.h"

namespace verify {

/// What verify/catalog.h compares, of the large objects that both sides have: owner, privileges and comment.
/// (Which there are is part of their contents.) There may be tens of millions of them: both sides' lists are
/// read side by side in the order of their oids, and of neither more than a few thousand are held. What is
/// found is added to `found`; of each sort the first thousand by name, the rest by number. Both connections
/// are in a transaction.
void compare_large_objects(pg::Connection& source, pg::Connection& target, const CatalogOptions& options,
                           CatalogComparison& found);

}  // namespace verify
