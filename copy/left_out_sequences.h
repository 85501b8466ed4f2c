#pragma once

#include "copy/plan.h"
#include "pg/connection.h"

namespace copy {

/// Warns of sequences that the plan leaves out although something of the copy takes values of them by a name
/// in a text, which the catalog knows no dependency of: nextval('s'::text) in a default, nextval('s') in a
/// function's body. Both are made at the target without a word, and fail there when they are used.
void warn_of_left_out_sequences(pg::Connection& source, Plan& plan);

}  // namespace copy
