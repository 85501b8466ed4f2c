#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "copy/chunk_source.h"
#include "copy/context.h"
#include "copy/keeper_watch.h"
#include "copy/quiet.h"
#include "copy/schema.h"

namespace copy {

/// Where a run reads from, and under which snapshot.
struct SourceView {
  std::unique_ptr<KeeperWatch> keeper;  ///< none when reading from an archive
  ChunkSourceFactory open;
  uint32_t snapshot = 0;    ///< index into RunState::snapshots
  std::string explanation;  ///< what made it safe to go on, in a sentence; empty for a new run
};

/// Brings journal and ledger together: the ledger is right. Returns a sentence for each kind of disagreement.
std::vector<std::string> reconcile_with_ledger(const Plan& plan, RunDir& dir,
                                               const std::vector<LedgerChunk>& ledger);

/// Ends sessions that an earlier process of this run has left on a server: they may hold locks, or still
/// build an index.
void end_leftover_sessions(pg::Connection& server, const std::string& application_name);

/// True of the rows that these chunks' transactions inserted: a condition in SQL. A row that was updated
/// since is another's.
std::string is_of_chunks_sql(const std::vector<LedgerChunk>& chunks);
/// What takes the chunks' rows off the target, in a transaction, whatever rules the table has.
std::string remove_rows_sql(pg::Connection& target, const Relation& relation,
                            const std::vector<LedgerChunk>& chunks);

/// What of the plan a crash of the target empties or sets back: "table public.cache", "sequence public.hits".
std::vector<std::string> unlogged_objects(pg::Connection& target, const Plan& plan);
/// After such a crash: forgets the chunks of unlogged tables, and removes what of them was loaded since. How
/// many they were.
size_t forget_unlogged(const Context& context, const SchemaItems& schema, pg::Connection& target);

/// Of the plan's foreign keys, those that this run has made on the target.
std::set<ForeignKeyName> foreign_keys_made(const Context& context, const SchemaItems& schema,
                                           pg::Connection& target);

/// Tells of a snapshot that was lost for the `lost`-th time in a row, and throws when another one would be as
/// fruitless.
void replace_lost_snapshot(int lost);

/// The source as a resumed run finds it.
struct SourceNow {
  std::unique_ptr<pg::SnapshotKeeper> keeper;
  std::optional<Plan> fresh;  ///< at its snapshot, when that may be another content; of the same definitions
};

/// Looks whether the run may go on at all, before it changes anything, with what the ledger has. Throws
/// Error{usage} when the source is another database, or has other definitions than the run's plan.
SourceNow look_at_source(const Context& context, const Plan& plan);

/// Decides how a run that has chunks already can go on and stay consistent (docs/consistency.md):
///   1. the source provably did not change since the recorded snapshot: a new one shows the same rows;
///   2. everything still missing is in the archive, read under the recorded snapshot;
///   3. else a new snapshot F is taken, every chunk on the target is digested again at F, and what differs is
///   removed
///      from the target, to be copied again. The result equals the source at F.
/// (A snapshot whose keeper survived needs no decision: workers import it again.) A snapshot that is lost on
/// the way is replaced. Throws what look_at_source() throws.
SourceView resume_source(const Context& context, Plan& plan, const SchemaItems& schema,
                         pg::Connection& target, SourceNow source);

}  // namespace copy
