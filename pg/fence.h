#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace pg {

// The fence makes a database refuse writes: ALTER DATABASE … SET default_transaction_read_only = on. Every
// session that begins afterwards starts its transactions read only, whoever's it is. A setting is no lock, so
// what it does not hold is looked for and said:
//
// - sessions that began before it keep what they began with, until they end;
// - a session may turn it off for itself, which nobody else can see until it writes;
// - settings of roles come before the database's, prepared transactions can still be committed, and the
//   workers of subscriptions do not ask.
//
// What was there before, and since when the fence stands, is kept in the database itself, so that it can be
// taken away exactly, by anybody and from anywhere: as the comment of the schema "cutover", which is made for
// it unless a ledger is there. No table: a publication of all tables would send it to its subscribers. The
// note and the setting change in one transaction, so no crash comes between them.

/// What the fence has written down.
struct FenceNote {
  std::string since;  ///< a timestamptz; "infinity" when it was interrupted before that moment
  std::optional<std::string> former;  ///< the database's setting before; none: there was none
  bool made_schema = false;
};

/// A session that can still write.
struct OpenSession {
  int64_t pid = 0;
  std::string user;
  std::string application;
  std::string client;  ///< a host, or "local"
  std::string state;
  std::string began;     ///< empty when we may not see it
  bool writing = false;  ///< it has a transaction id now
};

struct Fence {
  std::string database;
  std::optional<FenceNote> note;       ///< none: no fence of ours
  std::optional<std::string> setting;  ///< of the database, now
  bool read_only = false;              ///< what `setting` says
  /// Those that can still write, while the fence is up.
  std::vector<OpenSession> sessions = {};
  /// Other ways past it, each a sentence with its fix.
  std::vector<std::string> gaps = {};

  bool up() const { return note.has_value() && read_only; }
  bool holds() const { return up() && sessions.empty() && gaps.empty(); }
};

struct MissingRight {
  std::string message;  ///< what cannot be done, and why
  std::string fix;
};

/// What the connection's role may do about the fence.
struct FenceRights {
  std::string database;
  std::vector<MissingRight> missing;        ///< raise_fence() would throw the first of them
  std::vector<MissingRight> over_sessions;  ///< it can do without, while no other role has a session
};

/// Looks only, so that it is known long before the night whether the fence can be raised.
FenceRights fence_rights(Connection& connection);

/// Looks only. Opens a second session to see what a new one gets.
Fence inspect_fence(Connection& connection);

/// Puts the fence up; once more changes nothing. Throws Error{usage} on a standby, and for who does not own
/// the database.
void raise_fence(Connection& connection);

enum class Lowered {
  not_there,  ///< there was no fence; nothing was changed
  restored,   ///< the setting is what it was before
  kept,       ///< somebody has set something else since, which stays
};
/// Takes the fence away. Throws as raise_fence(), and Error{usage} when the database is read only by somebody
/// else's hand.
Lowered lower_fence(Connection& connection);

/// Ends the sessions and waits until they are gone, ten seconds at most. Returns why some could not be ended,
/// a sentence each.
std::vector<std::string> end_sessions(Connection& connection, const std::vector<OpenSession>& sessions);

/// A FROM item with the columns setrole and setting ("name=value"): the settings of the current database, as
/// they were before a fence. The fence is no part of what a database is: nobody wants it copied or compared.
std::string settings_without_fence();

}  // namespace pg
