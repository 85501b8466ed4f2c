#include "copy/recorded.h"

#include <algorithm>

#include <fmt/format.h>

#include "copy/archive.h"
#include "copy/ledger.h"
#include "copy/run_dir.h"
#include "pg/session.h"
#include "pg/snapshot.h"

namespace copy {
namespace {

std::optional<pg::BucketDigest> sum_of_chunks(const RunState& state, uint32_t relation, uint32_t chunks) {
  pg::BucketDigest sum(1);
  for (uint32_t chunk = 0; chunk < chunks; ++chunk) {
    const auto* found = state.chunk(relation, chunk);
    if (!found) return std::nullopt;
    sum[0] += found->digest;
  }
  return sum;
}

std::optional<pg::BucketDigest> digest_of(const Plan& plan, const RunState& state, const ProofUnit& unit) {
  const auto buckets = plan.relations[unit.relations.front()].shape.buckets;
  pg::BucketDigest sum(buckets);
  for (const auto relation : unit.relations) {
    if (const auto found = state.relation_digests.find(relation); found != state.relation_digests.end()) {
      sum += pg::BucketDigest::decode(found->second);
    } else if (const auto whole = sum_of_chunks(state, relation, plan.relations[relation].chunks);
               whole && buckets == 1) {
      sum += *whole;
    } else {
      return std::nullopt;
    }
  }
  return sum;
}

std::optional<base::Error> wrong_source(const RecordedRun& run, const pg::Conninfo& source,
                                        const base::Stop& stop) {
  const pg::SnapshotKeeper now(pg::open_first_session(source, {}, stop));
  if (now.mark().same_identity(run.snapshot.mark)) return std::nullopt;
  return base::Error(base::ErrorKind::usage,
                     fmt::format("{} is not the source of run {}", source.redacted(), run.run_id),
                     "check --source; if it was moved or restored, leave --run-dir out");
}

bool is_in_ledger(pg::Connection& session, const RecordedRun& run) {
  const auto runs = Ledger::exists(session) ? Ledger::runs(session) : std::vector<std::string>();
  return std::ranges::find(runs, run.run_id) != runs.end();
}

std::optional<base::Error> wrong_target(const RecordedRun& run, const pg::Conninfo& target,
                                        const base::Stop& stop) {
  auto session = pg::open_first_session(target, {.role = pg::Role::target}, stop);
  if (is_in_ledger(session, run)) return std::nullopt;
  return base::Error(base::ErrorKind::usage,
                     fmt::format("{} is not the target of run {}: its ledger (schema cutover) is not there",
                                 target.redacted(), run.run_id),
                     "check --target; after `cutover clean`, leave --run-dir out");
}

}  // namespace

RecordedRun read_recorded_run(const std::filesystem::path& run_dir) {
  const auto state = RunDir::peek(run_dir);
  if (!state.finished || state.snapshots.empty())
    throw base::Error(
        base::ErrorKind::usage, fmt::format("{} holds a run that has not come to its end", run_dir.string()),
        "resume it with the command that started it, or leave --run-dir out to compare both sides as "
        "they are now");
  if (state.target.empty())
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} holds an export, which has no target", run_dir.string()),
                      "give the run directory of a copy or an import");
  RecordedRun out{state.run_id,
                  state.source,
                  state.target,
                  state.started,
                  state.snapshots.back(),
                  RunDir::load_key(run_dir),
                  RunDir::load_plan(run_dir),
                  {},
                  {}};
  for (auto& unit : proof_units(out.plan)) {
    auto digest = digest_of(out.plan, state, unit);
    out.units.push_back({std::move(unit), std::move(digest)});
  }
  if (!Archive::has_end_state(run_dir)) return out;
  out.sequences.emplace();
  Archive::for_each_end_record(run_dir, [&](const EndRecord& record) {
    if (const auto* sequence = std::get_if<SequenceValue>(&record)) out.sequences->push_back(*sequence);
  });
  return out;
}

void refuse_source_as_target(const RecordedRun& run, const pg::Conninfo& target, const base::Stop& stop) {
  pg::SnapshotKeeper now(pg::open_first_session(target, {.role = pg::Role::target}, stop));
  if (run.snapshot.mark.system_identifier.empty() || !now.mark().same_identity(run.snapshot.mark)) return;
  try {
    if (is_in_ledger(now.connection(), run)) return;
  } catch (const base::Error& error) {
    if (!pg::is_insufficient_privilege(error)) throw;
    return;  // there is one, which this role may not read: a source has none
  }
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("{} is the source of run {}, not its target", target.redacted(), run.run_id),
      "check --target; if it is a clone of the source, and `cutover clean` has taken the ledger "
      "away, compare both sides with --independent");
}

void require_source(const RecordedRun& run, const pg::Conninfo& source, const base::Stop& stop) {
  if (const auto wrong = wrong_source(run, source, stop)) throw base::Error(*wrong);
}

std::optional<base::Error> wrong_pair(const RecordedRun& run, const pg::Conninfo& source,
                                      const pg::Conninfo& target, const base::Stop& stop) {
  auto wrong = wrong_target(run, target, stop);
  return wrong ? wrong : wrong_source(run, source, stop);
}

}  // namespace copy
