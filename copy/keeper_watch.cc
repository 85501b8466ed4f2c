#include "copy/keeper_watch.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/retry.h"
#include "copy/chunk_source.h"
#include "pg/session.h"

namespace copy {
namespace {

// More tables than this are not locked: every lock takes a place in the source's shared lock table.
constexpr size_t kMostLockedTables = 1000;
constexpr std::chrono::seconds kBetweenLooks{1};
constexpr std::chrono::seconds kBetweenPings{20};

}  // namespace

std::unique_ptr<pg::SnapshotKeeper> open_keeper(const Options& options, const std::string& application_name,
                                                const base::Stop& stop) {
  const auto notice = [](const base::Error& error, int tries) {
    spdlog::warn("source: {}; trying again ({})", error.message(), tries);
  };
  return base::retry(options.retry, stop, notice, [&] {
    return std::make_unique<pg::SnapshotKeeper>(pg::open_session(
        options.source, {.role = pg::Role::source, .application_name = application_name}, stop));
  });
}

KeeperWatch::KeeperWatch(std::unique_ptr<pg::SnapshotKeeper> keeper, const Plan& plan, const base::Stop& stop)
    : keeper_(std::move(keeper)),
      id_(keeper_->id()),
      mark_(keeper_->mark()),
      stop_(base::Stop::child_of(stop)) {
  if (plan.relations.size() <= kMostLockedTables)
    for (const auto& relation : plan.relations)
      if (relation.kind == Relation::Kind::table) locked_.push_back({relation.oid, relation.name});
  try {
    keeper_->connection().exec("SAVEPOINT locks");
    lock_tables("15s");
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::cancelled || keeper_->connection().alive()) throw;
    throw SnapshotLost(error.message());  // its session was ended before anybody watched over it
  }
  thread_ = std::jthread([this] { watch(); });
}

void KeeperWatch::lock_tables(const std::string& timeout) {
  if (locked_.empty()) return;
  std::string names;
  for (const auto& table : locked_)
    names += fmt::format("{}ONLY {}", names.empty() ? "" : ", ", table.name.sql());
  auto& connection = keeper_->connection();
  try {
    connection.exec(
        fmt::format("SET LOCAL lock_timeout = '{}'; LOCK TABLE {} IN ACCESS SHARE MODE", timeout, names));
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::cancelled || !connection.alive()) throw;
    connection.exec("ROLLBACK TO SAVEPOINT locks");
    locked_.clear();
    spdlog::warn(
        "the source's tables could not be locked against rewrites ({}); a table that is truncated or "
        "rewritten "
        "during the copy will fail",
        error.message());
  }
}

void KeeperWatch::watch() {
  try {
    std::set<Waiter> before;
    for (;;) {
      stop_.sleep_for(locked_.empty() ? kBetweenPings : kBetweenLooks);
      if (locked_.empty()) {
        keeper_->ping();
        continue;
      }
      auto now = waiters();
      std::set<Waiter> patient;
      std::ranges::set_intersection(before, now, std::inserter(patient, patient.end()));
      if (!patient.empty()) let_through(patient);
      before = std::move(now);
    }
  } catch (const base::Error& error) {
    // Workers have imported the snapshot and hold it themselves; one that must import it again will notice.
    if (error.kind() != base::ErrorKind::cancelled)
      spdlog::warn("the session that holds the snapshot was lost: {}", error.message());
  }
  keeper_.reset();
}

std::set<KeeperWatch::Waiter> KeeperWatch::waiters() {
  std::string oids;
  for (const auto& table : locked_) oids += fmt::format("{}{}", oids.empty() ? "" : ",", table.oid);
  const auto rows = keeper_->connection().exec(fmt::format(
      "SELECT l.pid, l.relation FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND NOT l.granted "
      "AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
      "pg_catalog.current_database()) AND l.relation = ANY ('{{{}}}'::pg_catalog.oid[]) "
      "AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(l.pid))",
      oids));
  std::set<Waiter> waiters;
  for (int row = 0; row < rows.rows(); ++row) waiters.emplace(rows.integer(row, 0), rows.oid(row, 1));
  return waiters;
}

// A single lock cannot be given back: all are, and the others are taken again.
void KeeperWatch::let_through(const std::set<Waiter>& waiters) {
  auto& connection = keeper_->connection();
  for (const auto& waiter : waiters) {
    const auto table = std::ranges::find(locked_, waiter.second, &Locked::oid);
    if (table == locked_.end()) continue;
    spdlog::warn(
        "{} at the source wants {} for itself, and everybody else waits behind it: the copy gives its lock "
        "on the "
        "table back; should it be truncated, rewritten or dropped now, copying it will fail",
        exclusive_sessions(connection, table->oid), table->name.display());
    locked_.erase(table);
  }
  connection.exec("ROLLBACK TO SAVEPOINT locks");
  lock_tables("1s");
}

std::string exclusive_sessions(pg::Connection& source, pg::Oid relation) {
  source.exec("SELECT pg_catalog.pg_stat_clear_snapshot()");
  const auto row = source.exec(fmt::format(
      "SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('session %s (%s)', l.pid, "
      "pg_catalog.concat_ws(', ', "
      "nullif(a.application_name, ''), 'user ' || a.usename, "
      "'since ' || pg_catalog.to_char(a.query_start, 'HH24:MI:SS') || ' UTC')), ', ' ORDER BY l.granted "
      "DESC, l.pid), "
      "'another session') FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = "
      "l.pid "
      "WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = {} AND l.database = "
      "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
      relation));
  return row.string(0, 0);
}

}  // namespace copy
