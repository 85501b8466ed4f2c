#include "copy/target_watch.h"

#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "base/error.h"

namespace copy {
namespace {

constexpr std::chrono::seconds kBetweenLooks{2};
constexpr std::chrono::seconds kAfterFailure{30};
// Statements of the application wait for each other for a moment all the time.
constexpr std::chrono::seconds kLongWait{10};

// What the server calls "building index: scanning table" is "scanning table" here. Each phase counts blocks
// or tuples from the start. Our own sessions wait for each other only for moments (to extend a table): that
// is no news.
std::string look_sql(const std::map<int64_t, std::string>& backends) {
  std::string pids;
  for (const auto& [pid, what] : backends) pids += fmt::format("{}{}", pids.empty() ? "" : ",", pid);
  return fmt::format(
      "SELECT a.pid, coalesce(nullif(pg_catalog.split_part(p.phase, ': ', 2), ''), p.phase), "
      "CASE WHEN p.tuples_total > 0 THEN 100 * p.tuples_done / p.tuples_total "
      "WHEN p.blocks_total > 0 THEN 100 * p.blocks_done / p.blocks_total END, "
      "CASE WHEN a.wait_event_type = 'Lock' THEN (SELECT pg_catalog.string_agg("
      "CASE WHEN h.pid = 0 THEN 'a prepared transaction' ELSE pg_catalog.format('session %s%s', h.pid, "
      "' (' || nullif(pg_catalog.concat_ws(', ', nullif(b.application_name, ''), 'user ' || b.usename), '') "
      "|| ')') END, ', ') "
      "FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS h (pid) "
      "LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = h.pid WHERE h.pid <> ALL ('{{{0}}}'::int[])) END "
      "FROM pg_catalog.pg_stat_activity a LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = "
      "a.pid "
      "WHERE a.pid = ANY ('{{{0}}}'::int[])",
      pids);
}

}  // namespace

TargetWatch::TargetWatch(const Context& context)
    : context_(context), stop_(base::Stop::child_of(context.stop)), thread_([this] { watch(); }) {}

void TargetWatch::watch() {
  std::optional<pg::Connection> target;
  try {
    for (auto pause = kBetweenLooks;;) {
      stop_.sleep_for(pause);
      pause = kBetweenLooks;
      const auto backends = context_.progress.backends();
      if (backends.empty()) continue;
      try {
        if (!target) target.emplace(context_.open_target(stop_));
        look(*target, backends);
      } catch (const base::Error& error) {
        if (stop_.requested()) return;
        spdlog::debug("cannot look at the target's sessions: {}", error.message());
        context_.progress.explain({});
        target.reset();
        pause = kAfterFailure;
      }
    }
  } catch (const base::Error&) {
    return;  // the run is over
  }
}

void TargetWatch::look(pg::Connection& target, const std::map<int64_t, std::string>& backends) {
  const auto rows = target.exec(look_sql(backends));
  std::map<int64_t, std::string> details;
  std::map<int64_t, Wait> before;
  before.swap(waits_);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto pid = rows.integer(row, 0);
    if (!rows.is_null(row, 3)) {
      const auto whom = rows.string(row, 3);
      if (const auto known = before.find(pid); known != before.end() && known->second.whom == whom)
        waits_.insert(*known);
      note_wait(pid, backends.at(pid), whom);
      details[pid] = "waits for a lock of " + whom;
    } else if (!rows.is_null(row, 1)) {
      details[pid] = rows.string(row, 1);
      if (!rows.is_null(row, 2)) details[pid] += fmt::format(" {}%", rows.integer(row, 2));
    }
  }
  context_.progress.explain(details);
}

void TargetWatch::note_wait(int64_t backend, const std::string& what, const std::string& whom) {
  const auto now = std::chrono::steady_clock::now();
  auto& wait = waits_.try_emplace(backend, Wait{whom, now}).first->second;
  if (wait.told || now - wait.since < kLongWait) return;
  wait.told = true;
  spdlog::warn(
      "{} waits at the target for a lock that {} holds; it goes on when that session ends or commits", what,
      whom);
}

}  // namespace copy
