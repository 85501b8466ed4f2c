#pragma once

#include <cstdint>
#include <string>

#include "pg/connection.h"

namespace pg {

/// What identifies a database's content at one moment.
struct SnapshotMark {
  std::string system_identifier;  ///< of the cluster; empty where the provider hides it
  Oid database_oid = 0;
  /// txid_current_snapshot() of the snapshot's transaction, "xmin:xmax:xip,…".
  std::string transactions;
  std::string lsn;  ///< the WAL position just before the snapshot; for people, not for proof
  /// Of the WAL, eight hexadecimal digits; another one after a failover or a restore to a point in time.
  /// Empty on a replica, which may follow another primary now, and where the server does not tell.
  std::string timeline;
  /// When the server was started, and when its statistics were last reset, which a crash does. The same in
  /// both marks: no commit was lost in between, so no transaction id was used twice.
  std::string server_start;

  /// True when nothing can have been committed between two moments with these marks: the same database of the
  /// same running server, no transaction in progress at the first, and not one transaction id assigned since.
  /// Conservative: ANALYZE or any other write, also to another database of the cluster, makes it false, and
  /// so does a restart (docs/consistency.md).
  bool unchanged_since(const SnapshotMark& earlier) const;
  /// True for marks of one database, whether or not its server was restarted in between. A clone, which goes
  /// by the same identifiers, is taken for it.
  bool same_identity(const SnapshotMark& other) const;
  /// True for two marks of one database of one running server.
  bool same_database(const SnapshotMark& other) const;
};

/// The session that holds the exported snapshot. Workers import it; it lives as long as this object and its
/// connection do.
class SnapshotKeeper {
 public:
  /// Takes over a fresh source session and exports. Throws Error{usage} when the server cannot export one (a
  /// physical replica before version 10, a transaction pooler).
  explicit SnapshotKeeper(Connection connection);

  const std::string& id() const { return id_; }  ///< for SET TRANSACTION SNAPSHOT
  const SnapshotMark& mark() const { return mark_; }
  /// Queries of this session see the snapshot.
  Connection& connection() { return connection_; }
  /// A round trip, so that no proxy forgets the connection; throws when the snapshot is gone.
  void ping() { connection_.exec("SELECT"); }

 private:
  Connection connection_;
  std::string id_;
  SnapshotMark mark_;
};

/// Begins a read only transaction in `connection` that sees the exported snapshot. A snapshot that no longer
/// exists is Error{permanent}, for which is_snapshot_gone() is true. So is one that is not of these
/// `transactions` (its mark's): an id is made of small counters, so another server, or this one since a
/// restart, may have it too.
void import_snapshot(Connection& connection, const std::string& snapshot_id, const std::string& transactions);
bool is_snapshot_gone(const base::Error& error);

}  // namespace pg
