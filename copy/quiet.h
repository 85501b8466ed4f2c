#pragma once

#include "copy/context.h"

namespace copy {

/// With --schema none the target's tables come with foreign keys and triggers that must not act on the load.
///
/// Where our sessions may set session_replication_role, they do, and only triggers that fire even then
/// (ENABLE ALWAYS, ENABLE REPLICA) are disabled; the foreign keys, which were not checked then, are checked
/// afterwards by a query each. Elsewhere (Neon as a target, plain owners) foreign keys are dropped and user
/// triggers disabled; what is needed to restore them exactly is kept in the ledger's schema, in the same
/// transaction, so that not even a lost run directory can lose it.

/// Idempotent.
void quiet_target(const Context& context, pg::Connection& target);
/// With --schema dump, a resumed run finds the triggers that an earlier process of it has made: disables
/// them, and restores them as they were. Both idempotent.
void quiet_triggers(const Context& context, pg::Connection& target);
void restore_triggers(const Context& context, pg::Connection& target);
/// Idempotent. Foreign keys that the data violates are reported as problems.
void restore_target(const Context& context, pg::Connection& target);

}  // namespace copy
