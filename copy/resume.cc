#include "copy/resume.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/retry.h"
#include "base/thread_group.h"
#include "copy/chunk_copier.h"
#include "copy/preflight.h"
#include "copy/sql.h"

namespace copy {

using base::ErrorKind;

std::vector<std::string> reconcile_with_ledger(const Plan& plan, RunDir& dir,
                                               const std::vector<LedgerChunk>& ledger) {
  std::set<uint64_t> on_target;
  size_t unknown = 0;
  size_t lost = 0;
  for (const auto& chunk : ledger) {
    if (chunk.relation >= plan.relations.size() || chunk.chunk >= plan.relations[chunk.relation].chunks)
      base::fail(ErrorKind::corrupt,
                 "the target's ledger lists chunk {} of relation {}, which the plan does not have",
                 chunk.chunk, chunk.relation);
    on_target.insert(RunState::chunk_key(chunk.relation, chunk.chunk));
    const auto* known = dir.state().chunk(chunk.relation, chunk.chunk);
    if (known && known->digest == chunk.digest) continue;
    ++unknown;
    const auto& snapshots = dir.state().snapshots;
    const auto under =
        std::ranges::find(snapshots, chunk.snapshot, [](const auto& s) { return s.mark.transactions; });
    if (under == snapshots.end())
      base::fail(ErrorKind::corrupt,
                 "the target's ledger has a chunk of a snapshot that this run directory does not know");
    dir.record(record::chunk(
        chunk.relation, chunk.chunk,
        {chunk.rows, chunk.bytes, chunk.digest, static_cast<uint32_t>(under - snapshots.begin())}));
  }
  std::vector<uint64_t> missing;
  for (const auto& [key, chunk] : dir.state().chunks)
    if (!on_target.contains(key)) missing.push_back(key);
  for (const auto key : missing) {
    ++lost;
    dir.record(record::forgotten(static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)));
  }
  std::vector<std::string> notes;
  if (unknown > 0)
    notes.push_back(fmt::format("{} chunks were on the target but not yet in the journal", unknown));
  if (lost > 0)
    notes.push_back(fmt::format(
        "{} chunks of the journal are not on the target (it lost its last commits): they are copied again",
        lost));
  return notes;
}

void end_leftover_sessions(pg::Connection& server, const std::string& application_name) {
  const std::string others =
      "FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid() "
      "AND datname = pg_catalog.current_database()";
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (server.exec("SELECT pg_catalog.pg_terminate_backend(pid) " + others, {application_name}).rows() == 0)
      return;
    server.stop().sleep_for(std::chrono::milliseconds(100));
  }
  base::fail(ErrorKind::permanent,
             "sessions of an earlier process of this run (application_name {}) do not end on {}",
             application_name, server.conninfo().redacted());
}

std::set<ForeignKeyName> foreign_keys_made(const Context& context, const SchemaItems& schema,
                                           pg::Connection& target) {
  const auto items = context.ledger.items(target, "FK CONSTRAINT");
  const std::set<uint32_t> made(items.begin(), items.end());
  std::set<pg::Oid> oids;
  for (const auto& entry : schema.foreign_keys)
    if (made.contains(entry.id)) oids.insert(entry.oid);
  std::set<ForeignKeyName> names;
  for (const auto& key : context.plan.foreign_keys)
    if (oids.contains(key.oid)) names.emplace(key.table, key.name);
  return names;
}

// ---------------------------------------------------------------------------------------- the source moved

namespace {

struct Stale {
  uint32_t relation = 0;
  uint32_t chunk = 0;
};

// Chunks on the target whose content at the new snapshot is another one. One read of the source, nothing
// written.
std::vector<Stale> find_stale(const Context& context, const ChunkSourceFactory& open, uint32_t snapshot) {
  std::vector<Stale> old;
  for (const auto& [key, chunk] : context.dir.state().chunks)
    if (chunk.snapshot != snapshot)
      old.push_back({static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)});
  std::ranges::sort(old, {}, [](const Stale& s) { return RunState::chunk_key(s.relation, s.chunk); });
  // Looked up before the threads start: recording changes the state.
  std::map<uint64_t, pg::Digest> known;
  for (const auto& chunk : old)
    known.emplace(RunState::chunk_key(chunk.relation, chunk.chunk),
                  context.dir.state().chunk(chunk.relation, chunk.chunk)->digest);

  std::atomic<size_t> next{0};
  base::Guarded<std::vector<Stale>> stale;
  base::ThreadGroup group(context.stop);
  for (unsigned i = 0; i < context.options.jobs; ++i)
    group.start(fmt::format("check {}", i + 1), [&] {
      ChunkCopier copier(context, open, snapshot, true, group.stop());
      for (size_t at = next++; at < old.size(); at = next++) {
        const auto [relation, chunk] = old[at];
        const auto now = copier.digest_source(relation, chunk);
        if (now.digest == known.at(RunState::chunk_key(relation, chunk))) {
          context.dir.record(record::chunk(relation, chunk, now));
        } else {
          stale.lock()->push_back(old[at]);
        }
      }
    });
  group.join();
  return *stale.lock();
}

// Foreign keys would refuse the removal, and come back at the end of the run.
void drop_foreign_keys(const Context& context, const Plan& plan, const SchemaItems& schema,
                       pg::Connection& target) {
  std::map<pg::Oid, const pg::ForeignKey*> keys;
  for (const auto& key : plan.foreign_keys) keys.emplace(key.oid, &key);
  const auto items = context.ledger.items(target);
  const std::set<uint32_t> done(items.begin(), items.end());
  for (const auto& entry : schema.foreign_keys) {
    if (!done.contains(entry.id)) continue;
    const auto& key = *keys.at(entry.oid);
    target.exec(fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}; {}; {}", key.table.sql(),
                            pg::quote_identifier(key.name), context.ledger.forget_item_sql(entry.id),
                            context.ledger.forget_item_sql(ItemRunner::second_step(entry.id))));
  }
  // What depends on them went with them: their comments.
  for (const auto& entry : schema.after_foreign_keys)
    if (done.contains(entry.id)) target.exec(context.ledger.forget_item_sql(entry.id));
}

}  // namespace

// The rows of a chunk are those its transaction inserted: their xmin is the ledger row's transaction.
std::string is_of_chunks_sql(const std::vector<LedgerChunk>& chunks) {
  std::string transactions;
  for (const auto& chunk : chunks)
    transactions += fmt::format("{}{}", transactions.empty() ? "" : ",", chunk.transaction & 0xFFFFFFFFU);
  return fmt::format("xmin = ANY ('{{{}}}'::pg_catalog.xid[])", transactions);
}

std::string remove_rows_sql(pg::Connection& target, const Relation& relation,
                            const std::vector<LedgerChunk>& chunks) {
  return without_rules_sql(target, relation.load_into(),
                           fmt::format("DELETE FROM {}{} WHERE {}", relation.via_root() ? "" : "ONLY ",
                                       relation.load_into().sql(), is_of_chunks_sql(chunks)));
}

namespace {

void remove_rows(pg::Connection& target, const Relation& relation, const std::vector<LedgerChunk>& chunks) {
  try {
    target.exec(remove_rows_sql(target, relation, chunks));
  } catch (base::Error& error) {
    // It is published, and no key tells a subscriber which rows went.
    if (error.sqlstate() == "55000" && error.hint().find("REPLICA IDENTITY") != std::string::npos)
      error.hint(
          "it is published, and has no key: take it out of the target's publications (ALTER PUBLICATION … "
          "DROP "
          "TABLE …) until the copy is through, or start over with --restart");
    throw;
  }
}

// Takes stale chunks off the target together with their ledger rows, one transaction for each relation. Large
// objects go before that: a chunk with some of them gone is stale again after a crash.
void remove_stale(const Context& context, const Plan& plan, const std::vector<Stale>& stale) {
  auto target = context.open_loading_target(context.stop);
  std::map<uint32_t, std::vector<uint32_t>> by_relation;
  for (const auto& chunk : stale) by_relation[chunk.relation].push_back(chunk.chunk);
  const auto ledger = context.ledger.chunks(target);
  for (const auto& [relation, chunks] : by_relation) {
    std::vector<LedgerChunk> rows;
    for (const auto& row : ledger)
      if (row.relation == relation && std::ranges::find(chunks, row.chunk) != chunks.end())
        rows.push_back(row);
    const auto& written = plan.relations[relation];
    const bool large_objects = written.kind == Relation::Kind::large_objects;
    if (large_objects)
      for (const auto& row : rows) context.ledger.unlink_large_objects(target, relation, row.chunk);
    pg::Transaction transaction(target);
    // Waited for: a crash that took only this back would leave the old rows and their ledger rows, which look
    // like those that are copied in their place.
    target.exec("SET LOCAL synchronous_commit = on");
    if (!large_objects) remove_rows(target, written, rows);
    target.exec(context.ledger.forget_chunks_sql(relation, chunks));
    transaction.commit();
    for (const auto chunk : chunks) context.dir.record(record::forgotten(relation, chunk));
  }
}

// Tables and sequences of the target, whatever the source's are; and the partitioned tables that a row may
// enter an unlogged one by.
std::set<pg::QualifiedName> unlogged_names(pg::Connection& target) {
  const auto rows = target.exec(
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_class u "
      "CROSS JOIN LATERAL (SELECT u.oid AS oid UNION "
      "SELECT a.relid FROM pg_catalog.pg_partition_ancestors(u.oid) a(relid)) way "
      "JOIN pg_catalog.pg_class c ON c.oid = way.oid JOIN pg_catalog.pg_namespace n ON n.oid = "
      "c.relnamespace "
      "WHERE u.relpersistence = 'u' AND u.relkind IN ('r', 'S')");
  std::set<pg::QualifiedName> names;
  for (int row = 0; row < rows.rows(); ++row) names.insert({rows.string(row, 0), rows.string(row, 1)});
  return names;
}

bool is_unlogged(const std::set<pg::QualifiedName>& unlogged, const Relation& relation) {
  return relation.kind == Relation::Kind::table &&
         (unlogged.contains(relation.name) || unlogged.contains(relation.load_into()));
}

void check_same_source(const pg::SnapshotMark& now, const pg::SnapshotMark& then) {
  if (now.same_identity(then)) return;
  throw base::Error(ErrorKind::usage, "the source is another database than the one this run was started with",
                    "check --source, or name another --run-dir for a new run");
}

bool all_in_archive(const Context& context) {
  if (!context.archive) return false;
  const auto last = context.dir.state().snapshots.size() - 1;
  const auto& archived = context.archive->dir().state();
  for (uint32_t relation = 0; relation < context.plan.relations.size(); ++relation)
    for (uint32_t chunk = 0; chunk < context.plan.relations[relation].chunks; ++chunk)
      if (!context.dir.has_chunk(relation, chunk)) {
        const auto* found = archived.chunk(relation, chunk);
        if (!found || found->snapshot != last) return false;
      }
  return true;
}

// Chunks read under older snapshots than the last one would mix two moments.
bool of_one_snapshot(const Context& context) {
  const auto last = context.dir.state().snapshots.size() - 1;
  return std::ranges::all_of(context.dir.state().chunks,
                             [&](const auto& c) { return c.second.snapshot == last; });
}

// Then it does not matter what the source is like by now.
bool archive_serves(const Context& context) { return of_one_snapshot(context) && all_in_archive(context); }

// The archive keeps only what is of the snapshot that the run goes on with; the rest is archived again.
void renew_archive(const Context& context, uint32_t snapshot) {
  if (!context.archive) return;
  auto& archive = context.archive->dir();
  const auto& run = context.dir.state();
  for (auto i = static_cast<uint32_t>(archive.state().snapshots.size()); i < run.snapshots.size(); ++i)
    archive.record(record::snapshot(i, run.snapshots[i]));
  const auto archived = archive.state().chunks;
  for (const auto& [key, chunk] : archived) {
    if (chunk.snapshot == snapshot) continue;
    const auto relation = static_cast<uint32_t>(key >> 32);
    const auto number = static_cast<uint32_t>(key);
    const auto* current = run.chunk(relation, number);
    archive.record(current && current->snapshot == snapshot && current->digest == chunk.digest
                       ? record::chunk(relation, number, *current)
                       : record::forgotten(relation, number));
  }
}

void refuse_changes(const std::vector<std::string>& changes) {
  if (changes.empty()) return;
  throw base::Error(
      ErrorKind::usage,
      fmt::format("the source's schema changed since this run was started: {}", fmt::join(changes, "; ")),
      "start over with --restart");
}

// Views, functions, triggers and the like, of which the plan knows nothing: the target gets the first dump's.
std::vector<std::string> definition_changes(const Context& context, const std::string& snapshot_id) {
  const auto& tools = context.tools.get();
  const auto fresh = context.dir.path() / "schema.fresh";
  dump_schema(context.options, context.plan, snapshot_id, tools, fresh, context.stop);
  auto changes = schema_changes(tools, context.dir.schema_dump(), fresh, context.stop);
  std::filesystem::remove(fresh);
  return changes;
}

Plan plan_of_same_definitions(const Context& context, const Plan& plan, pg::SnapshotKeeper& keeper) {
  auto fresh = make_plan(keeper.connection(), context.options);
  refuse_changes(shape_changes(plan, fresh));
  if (plan.schema == SchemaMode::dump) refuse_changes(definition_changes(context, keeper.id()));
  return fresh;
}

SourceView at_new_snapshot(const Context& context, Plan& plan, const SchemaItems& schema,
                           pg::Connection& target, SourceNow source) {
  auto keeper = std::move(source.keeper);
  const auto fresh =
      source.fresh ? std::move(*source.fresh) : plan_of_same_definitions(context, plan, *keeper);
  std::map<pg::QualifiedName, uint64_t> filenodes;
  for (const auto& relation : fresh.relations) filenodes[relation.name] = relation.filenode;
  for (auto& relation : plan.relations)
    if (relation.kind == Relation::Kind::table) relation.filenode = filenodes.at(relation.name);
  context.dir.store_plan(plan);

  SourceView view;
  view.snapshot = static_cast<uint32_t>(context.dir.state().snapshots.size());
  context.dir.record(record::snapshot(view.snapshot, {keeper->mark(), plan.source_version}));
  context.dir.sync();  // before the target can have chunks of it
  view.keeper = std::make_unique<KeeperWatch>(std::move(keeper), plan, context.stop);
  view.open = live_source(context, *view.keeper);
  const auto stale = find_stale(context, view.open, view.snapshot);
  if (!stale.empty()) {
    drop_foreign_keys(context, plan, schema, target);
    remove_stale(context, plan, stale);
  }
  view.explanation =
      stale.empty()
          ? std::string(
                "the source was written to since; every chunk on the target was read again at a new "
                "snapshot and is still the same")
          : fmt::format(
                "the source was written to since; at a new snapshot {} chunks differ and are copied again",
                stale.size());
  return view;
}

SourceView choose_source(const Context& context, Plan& plan, const SchemaItems& schema,
                         pg::Connection& target, SourceNow source) {
  const auto& snapshots = context.dir.state().snapshots;
  const auto& last = snapshots.back();
  auto& keeper = source.keeper;
  SourceView view;
  view.snapshot = static_cast<uint32_t>(snapshots.size() - 1);
  if (of_one_snapshot(context) && keeper->mark().unchanged_since(last.mark)) {
    view.keeper = std::make_unique<KeeperWatch>(std::move(keeper), plan, context.stop);
    view.open = live_source(context, *view.keeper);
    view.explanation = "nothing was committed at the source since";
    return view;
  }
  if (archive_serves(context)) {
    view.open = archive_source(context.archive->dir().path(), context.archive->dir().state());
    view.explanation = "everything still missing is in the archive";
    return view;
  }
  return at_new_snapshot(context, plan, schema, target, std::move(source));
}

}  // namespace

std::vector<std::string> unlogged_objects(pg::Connection& target, const Plan& plan) {
  const auto unlogged = unlogged_names(target);
  std::vector<std::string> objects;
  for (const auto& relation : plan.relations)
    if (is_unlogged(unlogged, relation)) objects.push_back("table " + relation.display());
  for (const auto& sequence : plan.sequences)
    if (unlogged.contains(sequence.name)) objects.push_back("sequence " + sequence.name.display());
  return objects;
}

size_t forget_unlogged(const Context& context, const SchemaItems& schema, pg::Connection& target) {
  const auto& plan = context.plan;
  const auto unlogged = unlogged_names(target);
  std::vector<Stale> emptied;
  for (const auto& chunk : context.ledger.chunks(target))
    if (is_unlogged(unlogged, plan.relations[chunk.relation]))
      emptied.push_back({chunk.relation, chunk.chunk});
  if (emptied.empty()) return 0;
  drop_foreign_keys(context, plan, schema, target);
  remove_stale(context, plan, emptied);
  return emptied.size();
}

SourceNow look_at_source(const Context& context, const Plan& plan) {
  SourceNow now{open_keeper(context.options, context.application_name(), context.stop), std::nullopt};
  const auto& last = context.dir.state().snapshots.back().mark;
  check_same_source(now.keeper->mark(), last);
  if (!now.keeper->mark().unchanged_since(last) && !archive_serves(context))
    now.fresh = plan_of_same_definitions(context, plan, *now.keeper);
  return now;
}

void replace_lost_snapshot(int lost) {
  constexpr int kFruitless = 3;
  if (lost == kFruitless)
    throw base::Error(ErrorKind::permanent,
                      fmt::format("the source's snapshot was lost {} times without one chunk read", lost),
                      "if --source is an endpoint that spreads its sessions over several servers, or a "
                      "pooler, name the server itself");
  spdlog::warn("the source's snapshot is gone (was the server restarted?); taking a new one");
}

SourceView resume_source(const Context& context, Plan& plan, const SchemaItems& schema,
                         pg::Connection& target, SourceNow source) {
  SourceView view;
  for (int lost = 1;; ++lost) {
    try {
      view = choose_source(context, plan, schema, target, std::move(source));
      break;
    } catch (const SnapshotLost&) {
      replace_lost_snapshot(lost);
      source = look_at_source(context, plan);
    }
  }
  if (view.keeper) renew_archive(context, view.snapshot);
  // An earlier process may have come to the foreign keys although a table had failed.
  if (context.dir.state().chunks.size() < plan.total_chunks())
    drop_foreign_keys(context, plan, schema, target);
  return view;
}

}  // namespace copy
