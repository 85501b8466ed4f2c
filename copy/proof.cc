#include "copy/proof.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "copy/chunk_source.h"
#include "pg/copy_stream.h"
#include "pg/row_digest.h"

namespace copy {

std::vector<ProofUnit> proof_units(const Plan& plan) {
  std::vector<ProofUnit> units;
  std::map<pg::QualifiedName, size_t> by_root;
  for (uint32_t i = 0; i < plan.relations.size(); ++i) {
    const auto& relation = plan.relations[i];
    if (relation.via_root()) {
      const auto [found, is_new] = by_root.emplace(relation.load_into(), units.size());
      if (is_new) units.emplace_back();
      units[found->second].relations.push_back(i);
    } else {
      units.push_back({{i}});
    }
  }
  return units;
}

Proof::Proof(const Context& context, std::vector<ProofUnit> units)
    : context_(context), units_(std::move(units)) {}

bool Proof::is_proven(uint32_t unit) const {
  const auto& proofs = context_.dir.state().proofs;
  const auto found = proofs.find(units_[unit].relations.front());
  return found != proofs.end() && found->second.equal;
}

uint32_t Proof::prepare(uint32_t unit, pg::Connection& target) {
  const auto& relation = context_.plan.relations[units_[unit].relations.front()];
  std::vector<pg::BlockRange> slices(1);
  if (relation.kind == Relation::Kind::large_objects) {
    slices.resize(relation.chunks);
  } else if (!relation.via_root() && relation.chunks > 1 && target.major() >= 14) {
    const auto blocks = static_cast<uint64_t>(
        target
            .exec(fmt::format("SELECT pg_catalog.pg_relation_size({}::pg_catalog.regclass) / "
                              "pg_catalog.current_setting('block_size')::int",
                              pg::quote_literal(relation.load_into().sql())))
            .integer(0, 0));
    const auto step = std::max<uint64_t>(1, (blocks + relation.chunks - 1) / relation.chunks);
    slices.clear();
    for (uint64_t first = 0; first < std::max<uint64_t>(blocks, 1); first += step)
      slices.push_back({first, first + step});
    slices.back().last = 0;  // open-ended: nothing at the end can be missed
  }
  auto states = states_.lock();
  auto& state = (*states)[unit];
  state.slices = std::move(slices);
  state.left = static_cast<uint32_t>(state.slices.size());
  state.found = pg::BucketDigest(relation.shape.buckets);
  return state.left;
}

std::string Proof::slice_sql(const ProofUnit& unit, uint32_t slice, const pg::BlockRange& blocks) const {
  const auto& relation = context_.plan.relations[unit.relations.front()];
  return relation.kind == Relation::Kind::large_objects ? read_back_large_objects_sql(relation, slice)
                                                        : read_back_sql(relation, blocks);
}

bool Proof::read_slice(uint32_t unit, uint32_t slice, pg::Connection& target) {
  const auto& relation = context_.plan.relations[units_[unit].relations.front()];
  const auto blocks = states_.lock()->at(unit).slices[slice];
  Progress::Scope scope(context_.progress, "prove " + (relation.via_root() ? relation.load_into().display()
                                                                           : relation.display()));
  scope.backend(target.backend_pid());
  pg::RowDigest digest(context_.key, relation.shape);
  pg::CopyReader reader(target, slice_sql(units_[unit], slice, blocks));
  std::vector<std::byte> buffer(pg::kCopyBatch);
  while (const auto size = reader.read(buffer)) {
    digest.write(base::Bytes(buffer).first(size));
    scope.add_bytes(size);
    context_.progress.proof_bytes.fetch_add(size, std::memory_order_relaxed);
  }
  digest.finish();

  auto states = states_.lock();
  auto& state = states->at(unit);
  state.found += digest.digest();
  return --state.left == 0;
}

void Proof::compare(uint32_t unit, pg::Connection& target) {
  const auto found = states_.lock()->at(unit).found;
  const auto& first = context_.plan.relations[units_[unit].relations.front()];
  pg::BucketDigest expected(first.shape.buckets);
  for (const auto index : units_[unit].relations) {
    const auto sent = context_.ledger.relation_digest(target, index, first.shape.buckets);
    const auto chunks = context_.plan.relations[index].chunks;
    // Fewer than were committed, or other ones than this run read: the target lost commits.
    if (sent.chunks != chunks || sent.buckets.total() != context_.dir.relation_total(index, chunks))
      throw ChunksLost();
    // One bucket is the sum of the chunks' digests, which are recorded already.
    if (sent.buckets.size() > 1) context_.dir.record(record::relation_digest(index, sent.buckets.encode()));
    expected += sent.buckets;
  }
  const ProofRecord result{expected == found, expected.total(), found.total()};
  if (!result.equal && !context_.ledger.has_crash_mark(target)) throw ChunksLost();
  context_.dir.record(record::proof(units_[unit].relations.front(), result));
  ++context_.progress.proofs_done;
  states_.lock()->erase(unit);
  if (result.equal) return;
  uint32_t different = 0;
  for (uint32_t bucket = 0; bucket < found.size(); ++bucket)
    different += expected.buckets()[bucket] == found.buckets()[bucket] ? 0 : 1;
  context_.problems.add(
      {Problem::Kind::difference, first.via_root() ? first.load_into().display() : first.display(),
       fmt::format("{} rows left the source, {} are on the target; {} of {} digests differ",
                   result.source.rows, result.target.rows, different, found.size()),
       "something else wrote to the target, or a trigger or rule changed rows on their way in"});
}

}  // namespace copy
