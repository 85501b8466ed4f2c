#include "copy/durability.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "copy/chunk_copier.h"
#include "copy/resume.h"

namespace copy {
namespace {

constexpr size_t kMostNamed = 5;

}  // namespace

size_t kept_chunks(const Ledger& ledger, const RunState& run, pg::Connection& target) {
  return ledger.count_chunks(target, [&](uint32_t relation, uint32_t chunk, const pg::Digest& digest) {
    const auto* known = run.chunk(relation, chunk);
    return known != nullptr && known->digest == digest;
  });
}

void renew_unlogged(const Context& context, const SchemaItems& schema, pg::Connection& target) {
  if (context.ledger.has_crash_mark(target)) return;
  if (const auto chunks = forget_unlogged(context, schema, target))
    spdlog::warn("the target crashed, which emptied its unlogged tables: {} chunks of them are copied again",
                 chunks);
  context.ledger.set_crash_mark(target);
}

void make_durable(const Context& context, const SchemaItems& schema, TargetSession& target) {
  // Those of unlogged tables are forgotten meanwhile, and have to be copied again, too.
  const auto known = context.dir.state().chunks.size();
  const auto kept = target.run("ledger", [&](pg::Connection& connection) {
    context.ledger.make_durable(connection);
    renew_unlogged(context, schema, connection);
    return kept_chunks(context.ledger, context.dir.state(), connection);
  });
  if (kept < known) throw ChunksLost();
}

void confirm_durable(const Context& context, const SchemaItems& schema, ItemRunner* items,
                     pg::Connection& target) {
  std::vector<std::string> lost;
  if (items) lost = items->lost(target, schema);
  const auto kept = kept_chunks(context.ledger, context.dir.state(), target);
  if (const auto known = context.dir.state().chunks.size(); kept < known)
    lost.push_back(fmt::format("{} chunks", known - kept));
  const bool has_crashed = !context.ledger.has_crash_mark(target);
  if (has_crashed) {
    for (const auto& object : unlogged_objects(target, context.plan))
      lost.push_back(fmt::format("what was in the unlogged {}", object));
    // A standby that took over may be older than these, of which the ledger does not tell.
    lost.emplace_back("values of sequences, settings, and what was put aside and brought back");
  }
  if (lost.empty()) return;
  if (lost.size() > kMostNamed) lost.resize(kMostNamed);
  context.problems.add(
      {Problem::Kind::failed, "target",
       fmt::format("crashed, or another server took over: it may have lost work of this run, "
                   "among it: {}",
                   fmt::join(lost, ", ")),
       "run the same command again: what is missing is made again"});
  // Last: it makes the next look find a server that has not crashed.
  if (has_crashed) renew_unlogged(context, schema, target);
}

}  // namespace copy
