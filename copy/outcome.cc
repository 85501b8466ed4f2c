#include "copy/outcome.h"

#include "copy/proof.h"

namespace copy {

Outcome outcome_of(const RunState& state, const Plan& plan) {
  Outcome out;
  out.run_id = state.run_id;
  out.source = state.source;
  out.target = state.target;
  out.source_version = plan.source_version;
  if (!state.snapshots.empty()) {
    out.snapshot = state.snapshots.back().mark.transactions;
    out.lsn = state.snapshots.back().mark.lsn;
  }
  out.relations = plan.relations.size();
  for (const auto& [key, chunk] : state.chunks) {
    out.rows += chunk.rows;
    out.bytes += chunk.bytes;
  }
  out.chunks = state.chunks.size();
  for (const auto& unit : proof_units(plan)) {
    const auto found = state.proofs.find(unit.relations.front());
    if (found != state.proofs.end() && found->second.equal) out.proven += unit.relations.size();
  }
  return out;
}

int verdict(const RunState& state, const Plan& plan, Problems& problems, bool has_target) {
  if (problems.any(Problem::Kind::failed)) return 3;
  if (problems.any(Problem::Kind::difference)) return 1;
  if (!has_target) return 0;
  for (const auto& unit : proof_units(plan)) {
    const auto found = state.proofs.find(unit.relations.front());
    if (found != state.proofs.end() && found->second.equal) continue;
    problems.add(
        {Problem::Kind::failed, plan.relations[unit.relations.front()].display(), "was not compared", {}});
    return 3;
  }
  return 0;
}

}  // namespace copy
