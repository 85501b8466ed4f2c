#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/stop.h"
#include "copy/options.h"
#include "copy/plan.h"
#include "pg/snapshot.h"

namespace copy {

/// A snapshot keeper on a new session, tried again while the source is not reachable.
std::unique_ptr<pg::SnapshotKeeper> open_keeper(const Options& options, const std::string& application_name,
                                                const base::Stop& stop);

/// The session that holds the source's snapshot until everything has been read, and with it ACCESS SHARE
/// locks on the plan's tables (when they are few enough for the server's lock table), so that nobody
/// truncates or rewrites them meanwhile. A thread of its own keeps proxies and idle timeouts from ending the
/// session.
///
/// Somebody may want such a table for himself (ALTER TABLE, TRUNCATE, VACUUM FULL) and wait for us. Everybody
/// else who wants the table then waits behind him: the application, and our own workers, who would wait for
/// ever. So one who has waited for more than a second is let through: the session gives its lock on that
/// table back, which says so in the log. Whether the rows are still there to be read is checked with every
/// chunk (chunk_source.cc); where they are not, that table fails, and nothing is read wrongly.
class KeeperWatch {
 public:
  KeeperWatch(std::unique_ptr<pg::SnapshotKeeper> keeper, const Plan& plan, const base::Stop& stop);
  ~KeeperWatch() { release(); }
  KeeperWatch(const KeeperWatch&) = delete;
  KeeperWatch& operator=(const KeeperWatch&) = delete;

  const std::string& id() const { return id_; }  ///< for SET TRANSACTION SNAPSHOT
  const pg::SnapshotMark& mark() const { return mark_; }
  /// Ends the session soon, and with it snapshot and locks.
  void release() { stop_.request(); }

 private:
  using Waiter = std::pair<int64_t, pg::Oid>;  // process id, relation
  struct Locked {
    pg::Oid oid = 0;
    pg::QualifiedName name;
  };
  void lock_tables(const std::string& timeout);
  std::set<Waiter> waiters();
  void let_through(const std::set<Waiter>& waiters);
  void watch();

  std::unique_ptr<pg::SnapshotKeeper> keeper_;  // the thread's, once it runs
  std::string id_;
  pg::SnapshotMark mark_;
  std::vector<Locked> locked_;
  base::Stop stop_;
  std::jthread thread_;
};

/// "session 4711 (psql, user app, since 12:00:05 UTC)": who has the relation for himself or waits for that.
std::string exclusive_sessions(pg::Connection& source, pg::Oid relation);

}  // namespace copy
