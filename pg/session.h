#pragma once

#include <map>
#include <string>

#include "base/stop.h"
#include "pg/connection.h"
#include "pg/conninfo.h"

namespace pg {

enum class Role { source, target };

struct SessionOptions {
  Role role = Role::source;
  /// Shown in pg_stat_activity; a resumed run finds and ends what a killed one left behind by it.
  std::string application_name = "cutover";
  /// Both sides speak one encoding, so that the servers convert and the bytes compare. Empty: UTF8, in which
  /// names and definitions are kept; a SQL_ASCII database, which converts nothing, speaks SQL_ASCII.
  std::string client_encoding = {};
  /// Chunk sessions only: a lost commit is lost together with its ledger row, so nothing depends on it.
  bool asynchronous_commit = false;
  /// Turns off triggers, rules and foreign key checks while loading; needs a privilege.
  bool replica_role = false;
};

/// Connects and pins every setting that changes how values are written as text, that can end a long
/// statement, or that can hide rows: with row_security=off a table whose policies would filter is an error,
/// not fewer rows.
Connection open_session(const Conninfo& conninfo, const SessionOptions& options, const base::Stop& stop);

/// What open_session() pins in every session, by name and as the server says that it is.
std::map<std::string, std::string> pinned_settings(Connection& connection);

/// As open_session, for the first connection to a server in a command: a server that cannot be reached is the
/// user's business now, so transient errors become Error{usage}.
Connection open_first_session(const Conninfo& conninfo, const SessionOptions& options,
                              const base::Stop& stop);

}  // namespace pg
