#pragma once

#include "copy/context.h"
#include "copy/schema.h"
#include "copy/target_session.h"

namespace copy {

/// What a crash of the target takes away although it was committed: the last of the loads, whose commits do
/// not wait for the disk, and everything in unlogged tables. The ledger tells of both (docs/consistency.md).

/// How many of the run's chunks the ledger has as they were copied. It is not enough to count: what a standby
/// that took over has not heard of yet may be that an older chunk was copied again.
size_t kept_chunks(const Ledger& ledger, const RunState& run, pg::Connection& target);

/// Where the target has crashed since this was called last: forgets the chunks of its unlogged tables, which
/// the ledger has all the same, so that they are copied again.
void renew_unlogged(const Context& context, const SchemaItems& schema, pg::Connection& target);

/// Waits until every chunk is durable. Throws ChunksLost when the target has lost some that were recorded
/// here.
void make_durable(const Context& context, const SchemaItems& schema, TargetSession& target);

/// Once Ledger::finish() has committed: what the ledger has now, no crash takes away. What it lacks is a
/// problem. `items`: nullptr when the run made no schema objects.
void confirm_durable(const Context& context, const SchemaItems& schema, ItemRunner* items,
                     pg::Connection& target);

}  // namespace copy
