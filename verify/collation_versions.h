#pragma once

#include <vector>

#include "pg/connection.h"
#include "verify/result.h"

namespace verify {

/// Collations of this database whose recorded version is not the one that the server's library now has: what
/// was sorted by the recorded one may be in another order than the server expects, and an index then misses
/// rows. That says nothing of the rows themselves, so each is something to know and no difference. What the
/// server refuses to tell is said to be unknown. The connection is in a transaction.
std::vector<Remark> outdated_collations(pg::Connection& connection);

}  // namespace verify
