#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/retry.h"
#include "base/sink.h"
#include "base/stop.h"
#include "pg/catalog.h"
#include "pg/session.h"
#include "pg/snapshot.h"
#include "verify/progress.h"

namespace verify {

using pg::Role;

/// Index of a side in an array of two.
inline size_t index(Role role) { return role == Role::source ? 0 : 1; }
inline const char* name_of(Role role) { return role == Role::source ? "source" : "target"; }
template <typename T>
using PerSide = std::array<T, 2>;
inline constexpr std::array kSides{Role::source, Role::target};

/// A table with rows of its own, as the snapshot knows it.
struct Part {
  pg::QualifiedName name;
  pg::Oid oid = 0;
  bool is_table = true;    ///< not a materialized view
  bool generates = false;  ///< has generated columns, which COPY takes from a query only
  uint64_t filenode = 0;
  uint64_t bytes = 0;  ///< with TOAST
  uint64_t blocks = 0;
};

/// One database under one snapshot. The session that exports it lives in here; the object is made and used by
/// one thread, except for open_session().
class Side {
 public:
  /// `encoding` is what both sides speak. Throws Error{usage} when the server cannot be reached, or only
  /// through a pooler.
  Side(Role role, pg::Conninfo conninfo, std::string encoding, const base::Stop& stop);

  Role role() const { return role_; }
  const pg::Catalog& catalog() const { return catalog_; }
  const pg::SnapshotMark& mark() const { return keeper_->mark(); }
  int major() const { return major_; }
  const std::string& version() const { return version_; }  ///< "15.18"
  const pg::Conninfo& conninfo() const { return conninfo_; }
  /// Sees the snapshot.
  pg::Connection& connection() { return keeper_->connection(); }

  /// A session of its own that sees the snapshot. Thread-safe.
  pg::Connection open_session(const base::Stop& stop) const;
  /// A session that sees what is there now. Thread-safe.
  pg::Connection open_present(const base::Stop& stop) const;

 private:
  Role role_;
  pg::Conninfo conninfo_;
  std::string encoding_;
  std::optional<pg::SnapshotKeeper> keeper_;
  pg::Catalog catalog_;
  int major_ = 0;
  std::string version_;
};

/// What both sides have to speak, so that equal texts are equal bytes: UTF8, into which the servers convert;
/// but a SQL_ASCII database converts nothing, and then it is what the source's database is in.
std::string common_encoding(const pg::Conninfo& source, const pg::Conninfo& target, const base::Stop& stop);

/// One worker's session on a side.
class Reader {
 public:
  Reader(const Side& side, const base::Stop& stop);

  /// Locks what is about to be read, until the next call, and compares the table's file with the one that the
  /// snapshot knows: TRUNCATE and rewrites are not safe under a snapshot, which would see an empty or another
  /// file. Throws Error{permanent}.
  void hold_still(const Part& part);
  struct Copied {
    uint64_t rows = 0;  ///< that the server says it sent
    uint64_t bytes = 0;
  };
  /// Streams the output of a COPY statement into `out`, and calls its finish().
  Copied copy(const std::string& sql, base::ByteSink& out, Progress::Scope& scope);
  pg::Connection& connection() { return connection_; }

 private:
  pg::Connection connection_;
  std::vector<std::byte> buffer_;
};

}  // namespace verify
