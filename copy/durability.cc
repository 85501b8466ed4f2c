#include "copy/durability.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "copy/chunk_copier.h"
#include "copy/resume.h"

namespace copy {

void renew_unlogged(const Context& context, const SchemaItems& schema, pg::Connection& target) {
  if (context.ledger.has_crash_mark(target)) return;
  if (const auto chunks = forget_unlogged(context, schema, target))
    spdlog::warn("the target crashed, which emptied its unlogged tables: {} chunks of them are copied again",
                 chunks);
  context.ledger.set_crash_mark(target);
}

void make_durable(const Context& context, const SchemaItems& schema, TargetSession& target) {
  const auto known = context.dir.state().chunks.size();
  const auto on_target = target.run("ledger", [&](pg::Connection& connection) {
    context.ledger.make_durable(connection);
    renew_unlogged(context, schema, connection);
    return context.ledger.count_chunks(connection);
  });
  if (on_target < known) throw ChunksLost();
}

void confirm_durable(const Context& context, const SchemaItems& schema, ItemRunner* items,
                     pg::Connection& target) {
  std::vector<std::string> lost;
  if (items) lost = items->lost(target, schema);
  const auto chunks = context.ledger.count_chunks(target);
  if (const auto known = context.dir.state().chunks.size(); chunks < known)
    lost.push_back(fmt::format("{} chunks", known - chunks));
  if (!context.ledger.has_crash_mark(target)) {
    for (const auto& object : unlogged_objects(target, context.plan))
      lost.push_back(fmt::format("what was in the unlogged {}", object));
    renew_unlogged(context, schema, target);
  }
  if (lost.empty()) return;
  if (lost.size() > 5) lost.resize(5);
  context.problems.add({Problem::Kind::failed, "target",
                        fmt::format("lost work of this run in a crash, among it: {}", fmt::join(lost, ", ")),
                        "run the same command again: what is missing is made again"});
}

}  // namespace copy
