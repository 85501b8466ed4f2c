#include "copy/target_watch.h"

#include <chrono>
#include <map>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "pg/quote.h"

namespace copy {
namespace {

constexpr std::chrono::seconds kBetweenTargetLooks{2};

// Who waits (a process id of ours), and for whom.
using Wait = std::pair<int64_t, int64_t>;
using Waits = std::map<Wait, std::string>;  // with what there is to say of each

// Waits of our own sessions for each other end by themselves.
Waits read_waits(pg::Connection& target, const std::string& application_name) {
  const auto rows = target.exec(
      "SELECT l.pid, b.pid, coalesce(n.nspname::text, ''), coalesce(c.relname::text, ''), "
      "pg_catalog.concat_ws(', ', nullif(h.application_name, ''), 'user ' || h.usename, "
      "'since ' || pg_catalog.to_char(h.xact_start, 'HH24:MI:SS') || ' UTC') "
      "FROM pg_catalog.pg_stat_activity w JOIN pg_catalog.pg_locks l ON l.pid = w.pid AND NOT l.granted "
      "CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) b(pid) "
      "LEFT JOIN pg_catalog.pg_stat_activity h ON h.pid = b.pid "
      "LEFT JOIN pg_catalog.pg_class c ON l.locktype = 'relation' AND c.oid = l.relation "
      "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE w.application_name = $1 AND w.datname = pg_catalog.current_database() "
      "AND h.application_name IS DISTINCT FROM $1",
      {application_name});
  Waits waits;
  for (int row = 0; row < rows.rows(); ++row) {
    const auto relation = rows.text(row, 3);
    const auto what =
        relation.empty() ? std::string("a lock")
                         : fmt::format("a lock on {}",
                                       pg::QualifiedName{rows.string(row, 2), rows.string(row, 3)}.display());
    const auto holder = rows.integer(row, 1);
    waits.emplace(Wait{rows.integer(row, 0), holder},
                  holder == 0 ? fmt::format("{} that a prepared transaction has", what)
                              : fmt::format("{} that session {} ({}) has", what, holder, rows.text(row, 4)));
  }
  return waits;
}

// "scanning table 45%", by the process id of who builds the index. What the server calls "building index:
// scanning table" is "scanning table" here; every phase counts blocks or tuples from the start.
std::map<int64_t, std::string> read_builds(pg::Connection& target, const std::string& application_name) {
  const auto rows = target.exec(
      "SELECT p.pid, coalesce(nullif(pg_catalog.split_part(p.phase, ': ', 2), ''), p.phase) || coalesce(' ' "
      "|| "
      "CASE WHEN p.tuples_total > 0 THEN 100 * p.tuples_done / p.tuples_total "
      "WHEN p.blocks_total > 0 THEN 100 * p.blocks_done / p.blocks_total END || '%', '') "
      "FROM pg_catalog.pg_stat_progress_create_index p JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid "
      "WHERE a.application_name = $1 AND a.datname = pg_catalog.current_database()",
      {application_name});
  std::map<int64_t, std::string> builds;
  for (int row = 0; row < rows.rows(); ++row) builds.emplace(rows.integer(row, 0), rows.string(row, 1));
  return builds;
}

}  // namespace

TargetWatch::TargetWatch(const Context& context)
    : context_(context), stop_(base::Stop::child_of(context.stop)), thread_([this] { watch(); }) {}

void TargetWatch::watch() const {
  while (!stop_.requested()) try {
      look_until_lost();
    } catch (const base::Error& error) {
      // The workers tell of a target that is not there; this session comes back when they have theirs.
      spdlog::debug("looking at the target's sessions: {}", error.message());
      context_.progress.explain({});
    }
}

void TargetWatch::look_until_lost() const {
  stop_.sleep_for(kBetweenTargetLooks);
  auto target = context_.open_target(stop_);
  Waits before;
  std::set<Wait> told;
  for (;; stop_.sleep_for(kBetweenTargetLooks)) {
    auto now = read_waits(target, context_.application_name());
    auto details = read_builds(target, context_.application_name());
    for (const auto& [wait, text] : now) details[wait.first] = "waits for " + text;
    context_.progress.explain(details);
    std::erase_if(told, [&](const auto& wait) { return !now.contains(wait); });
    for (const auto& [wait, text] : now)
      if (before.contains(wait) && told.insert(wait).second)
        spdlog::warn("the copy waits at the target for {}; it goes on when that transaction ends", text);
    before = std::move(now);
  }
}

}  // namespace copy
