#include "pg/fence.h"

#include <chrono>

#include <fmt/format.h>

#include "pg/quote.h"

namespace pg {
namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* kSetting = "default_transaction_read_only";
// The note, as people who look at the schema read it: "fenced by cutover since 2026-01-31 22:00:00+00;
// default_transaction_read_only was 'off'; made the schema".
constexpr const char* kNotePattern =
    "^fenced by cutover since ([^;]*); default_transaction_read_only was (unset|''[^'']*'')(; made the "
    "schema)?$";

/// A scalar subquery: the comment of our schema if it is a note, else NULL.
std::string note_query() {
  return fmt::format(
      "(SELECT d.comment FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL "
      "pg_catalog.obj_description(n.oid, 'pg_namespace') d(comment) "
      "WHERE n.nspname = 'cutover' AND d.comment ~ '{}')",
      kNotePattern);
}

std::string note_text(const FenceNote& note) {
  return fmt::format("fenced by cutover since {}; {} was {}{}", note.since, kSetting,
                     note.former ? "'" + *note.former + "'" : "unset",
                     note.made_schema ? "; made the schema" : "");
}

std::optional<FenceNote> read_note(Connection& connection) {
  const auto row = connection.exec(fmt::format(
      "SELECT m.part[1], pg_catalog.btrim(nullif(m.part[2], 'unset'), ''''), m.part[3] IS NOT NULL "
      "FROM (SELECT pg_catalog.regexp_match({}, '{}')) m(part) WHERE m.part IS NOT NULL",
      note_query(), kNotePattern));
  if (row.rows() == 0) return std::nullopt;
  return FenceNote{row.string(0, 0), row.optional_text(0, 1), row.boolean(0, 2)};
}

/// The database, its note and its setting.
Fence read_state(Connection& connection) {
  Fence fence{.database = connection.database(), .note = read_note(connection), .setting = {}};
  const auto rows = connection.exec(fmt::format(
      "SELECT v.value, v.value::boolean FROM pg_catalog.pg_db_role_setting s, "
      "LATERAL pg_catalog.unnest(s.setconfig) c(stored), "
      "LATERAL (SELECT pg_catalog.substr(c.stored, pg_catalog.strpos(c.stored, '=') + 1)) v(value) "
      "WHERE s.setrole = 0 AND pg_catalog.split_part(c.stored, '=', 1) = '{}' AND s.setdatabase = (SELECT "
      "oid "
      "FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
      kSetting));
  if (rows.rows() > 0) {
    fence.setting = rows.string(0, 0);
    fence.read_only = rows.boolean(0, 1);
  }
  return fence;
}

/// A schema of that name that somebody else made, or uses for a comment of their own.
std::optional<MissingRight> schema_in_the_way(Connection& connection) {
  const auto row = connection.exec(
      "SELECT pg_catalog.obj_description(oid, 'pg_namespace'), pg_catalog.pg_has_role(nspowner, 'USAGE') "
      "FROM pg_catalog.pg_namespace WHERE nspname = 'cutover'");
  if (row.rows() == 0 || (row.is_null(0, 0) && row.boolean(0, 1))) return std::nullopt;
  return MissingRight{
      fmt::format("the database {} has a schema \"cutover\" that is not ours to put a note on",
                  display_identifier(connection.database())),
      "connect as its owner, and take its comment away"};
}

/// Without these the fence is neither raised nor lowered.
std::vector<MissingRight> rights_to_change(Connection& connection) {
  const auto row = connection.exec(
      "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_has_role(d.datdba, 'USAGE'), "
      "pg_catalog.pg_get_userbyid(d.datdba), current_user, "
      "pg_catalog.has_database_privilege(d.oid, 'CREATE') "
      "FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()");
  const auto database = display_identifier(connection.database());
  std::vector<MissingRight> missing;
  if (row.boolean(0, 0))
    missing.push_back({fmt::format("the server of {} is a standby, which accepts no writes", database),
                       "connect to its primary: the fence belongs there"});
  const auto owner = row.string(0, 2);
  const auto user = row.string(0, 3);
  if (!row.boolean(0, 1))
    missing.push_back(
        {fmt::format("only its owner can fence the database {}: that is {}, and {} is no member of it",
                     database, display_identifier(owner), display_identifier(user)),
         fmt::format("connect as {}, or let it say: GRANT {} TO {}", display_identifier(owner),
                     quote_identifier(owner), quote_identifier(user))});
  if (!row.boolean(0, 4))
    missing.push_back(
        {fmt::format("{} may not create a schema in the database {}, where the fence keeps its note",
                     display_identifier(user), database),
         fmt::format("GRANT CREATE ON DATABASE {} TO {}", quote_identifier(connection.database()),
                     quote_identifier(user))});
  return missing;
}

/// To see which sessions of other roles are older than the fence, and to end them.
std::vector<MissingRight> rights_over_sessions(Connection& connection) {
  const auto row = connection.exec(
      "SELECT current_user, pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), "
      "pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')");
  const auto user = quote_identifier(row.text(0, 0));
  std::vector<MissingRight> missing;
  if (!row.boolean(0, 1))
    missing.push_back({"when sessions of other roles began is hidden, so each counts as one that can write",
                       fmt::format("GRANT pg_read_all_stats TO {}", user)});
  if (!row.boolean(0, 2))
    missing.push_back({"sessions of other roles cannot be ended (--end-sessions)",
                       fmt::format("GRANT pg_signal_backend TO {}", user)});
  return missing;
}

[[noreturn]] void refuse(const MissingRight& missing) {
  throw Error(ErrorKind::usage, missing.message, missing.fix);
}

void check_rights(Connection& connection) {
  if (const auto missing = rights_to_change(connection); !missing.empty()) refuse(missing.front());
}

/// Two of us must not read the same "before".
void lock_fence(Connection& connection) {
  connection.exec("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('cutover fence'))");
}

void write_note(Connection& connection, const FenceNote& note) {
  connection.exec("COMMENT ON SCHEMA cutover IS " + quote_literal(note_text(note)));
}

/// True when the schema was made.
bool ensure_schema(Connection& connection) {
  if (const auto missing = schema_in_the_way(connection)) refuse(*missing);
  if (connection.exec("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'cutover'").rows() > 0)
    return false;
  connection.exec("CREATE SCHEMA cutover");
  return true;
}

void remove_note(Connection& connection, const FenceNote& note) {
  const bool empty = connection
                         .exec(
                             "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refclassid = "
                             "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid = (SELECT oid FROM "
                             "pg_catalog.pg_namespace WHERE nspname = 'cutover'))")
                         .boolean(0, 0);
  connection.exec(note.made_schema && empty ? "DROP SCHEMA cutover" : "COMMENT ON SCHEMA cutover IS NULL");
}

std::string alter_database(const Connection& connection, const std::optional<std::string>& value) {
  const auto database = quote_identifier(connection.database());
  return value ? fmt::format("ALTER DATABASE {} SET {} TO {}", database, kSetting, quote_literal(*value))
               : fmt::format("ALTER DATABASE {} RESET {}", database, kSetting);
}

/// A session that began after the fence is held, unless it writes all the same. Those whose begin we may not
/// see count as older. Left out: what never writes rows of the application.
std::vector<OpenSession> open_sessions(Connection& connection, const std::string& since) {
  const auto rows = connection.exec(
      "SELECT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), "
      "coalesce(a.client_hostname, pg_catalog.host(a.client_addr), "
      "CASE WHEN a.client_port = -1 THEN 'local' ELSE '' END), coalesce(a.state, ''), "
      "coalesce(a.backend_start::pg_catalog.text, ''), a.backend_xid IS NOT NULL "
      "FROM pg_catalog.pg_stat_activity a WHERE a.datname = pg_catalog.current_database() "
      "AND a.pid <> pg_catalog.pg_backend_pid() "
      "AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker') "
      "AND (a.backend_type IS NOT NULL OR a.usesysid IS NOT NULL) "
      "AND (a.backend_start IS NULL OR a.backend_start <= $1::timestamptz OR a.backend_xid IS NOT NULL) "
      "ORDER BY a.backend_start, a.pid",
      {since});
  std::vector<OpenSession> sessions;
  for (int i = 0; i < rows.rows(); ++i)
    sessions.push_back({rows.integer(i, 0), rows.string(i, 1), rows.string(i, 2), rows.string(i, 3),
                        rows.string(i, 4), rows.string(i, 5), rows.boolean(i, 6)});
  return sessions;
}

void add_roles_with_own_setting(Connection& connection, std::vector<std::string>& gaps) {
  // A role's setting in this database comes before its setting everywhere.
  const auto rows = connection.exec(fmt::format(
      "SELECT rolname, setdatabase <> 0 FROM (SELECT DISTINCT ON (s.setrole) r.rolname, s.setdatabase, "
      "pg_catalog.substr(c.stored, pg_catalog.strpos(c.stored, '=') + 1) AS value "
      "FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, "
      "LATERAL pg_catalog.unnest(s.setconfig) c(stored) "
      "WHERE pg_catalog.split_part(c.stored, '=', 1) = '{}' AND s.setdatabase IN (0, (SELECT oid FROM "
      "pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) "
      "ORDER BY s.setrole, s.setdatabase DESC) own WHERE NOT value::boolean ORDER BY rolname",
      kSetting));
  for (int i = 0; i < rows.rows(); ++i) {
    const auto role = rows.string(i, 0);
    const auto place =
        rows.boolean(i, 1) ? " IN DATABASE " + quote_identifier(connection.database()) : std::string();
    gaps.push_back(
        fmt::format("the role {} has a setting of its own, which comes before the database's; take it away: "
                    "ALTER ROLE {}{} RESET {}",
                    display_identifier(role), quote_identifier(role), place, kSetting));
  }
}

void add_other_writers(Connection& connection, std::vector<std::string>& gaps) {
  const auto prepared = connection.exec(
      "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY "
      "1");
  for (int i = 0; i < prepared.rows(); ++i) {
    const auto gid = quote_literal(prepared.text(i, 0));
    gaps.push_back(fmt::format(
        "a prepared transaction can still be committed; COMMIT PREPARED {0} or ROLLBACK PREPARED {0}", gid));
  }
  const auto subscriptions = connection.exec(
      "SELECT subname FROM pg_catalog.pg_subscription WHERE subenabled AND subdbid = (SELECT oid FROM "
      "pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ORDER BY 1");
  for (int i = 0; i < subscriptions.rows(); ++i) {
    const auto name = subscriptions.text(i, 0);
    gaps.push_back(fmt::format(
        "the subscription {} writes whatever the database's setting is; ALTER SUBSCRIPTION {} DISABLE",
        display_identifier(name), quote_identifier(name)));
  }
}

/// What somebody who connects now as we do gets: the proof that the setting counts.
void add_new_sessions(const Connection& connection, std::vector<std::string>& gaps) {
  Connection probe(connection.conninfo(), connection.stop());
  if (probe.exec(fmt::format("SHOW {}", kSetting)).text(0, 0) == "on") return;
  gaps.push_back(
      fmt::format("a new session as {} can write, by a setting in its connection or of its role; look for {} "
                  "in the connection string, PGOPTIONS and ALTER ROLE … SET",
                  display_identifier(probe.exec("SELECT current_user").text(0, 0)), kSetting));
}

/// Those of `sessions` that are still there.
std::vector<OpenSession> still_there(Connection& connection, const std::vector<OpenSession>& sessions) {
  std::vector<OpenSession> left;
  for (const auto& session : sessions)
    if (connection
            .exec("SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1::int AND "
                  "coalesce(backend_start::pg_catalog.text, '') = $2",
                  {std::to_string(session.pid), session.began})
            .rows() > 0)
      left.push_back(session);
  return left;
}

}  // namespace

Fence inspect_fence(Connection& connection) {
  auto fence = read_state(connection);
  if (!fence.up()) return fence;
  fence.sessions = open_sessions(connection, fence.note->since);
  add_roles_with_own_setting(connection, fence.gaps);
  add_other_writers(connection, fence.gaps);
  if (fence.gaps.empty()) add_new_sessions(connection, fence.gaps);
  return fence;
}

FenceRights fence_rights(Connection& connection) {
  FenceRights rights{connection.database(), rights_to_change(connection), rights_over_sessions(connection)};
  if (!read_note(connection))
    if (auto missing = schema_in_the_way(connection)) rights.missing.push_back(std::move(*missing));
  return rights;
}

void raise_fence(Connection& connection) {
  check_rights(connection);
  {
    Transaction transaction(connection, "BEGIN READ WRITE");
    lock_fence(connection);
    const auto fence = read_state(connection);
    if (!fence.up()) {
      auto note = fence.note.value_or(FenceNote{.since = {}, .former = fence.setting});
      if (!fence.note) note.made_schema = ensure_schema(connection);
      note.since = "infinity";
      write_note(connection, note);
      connection.exec(alter_database(connection, "on"));
    }
    transaction.commit();
  }
  // Only now can every later session see it, so only now the clock is read.
  Transaction transaction(connection, "BEGIN READ WRITE");
  lock_fence(connection);
  auto note = read_note(connection);
  if (note && note->since == "infinity") {
    note->since = connection.exec("SELECT pg_catalog.clock_timestamp()").string(0, 0);
    write_note(connection, *note);
  }
  transaction.commit();
}

Lowered lower_fence(Connection& connection) {
  Transaction transaction(connection, "BEGIN READ WRITE");
  lock_fence(connection);
  const auto fence = read_state(connection);
  if (!fence.note) {
    if (!fence.read_only) return Lowered::not_there;
    throw Error(ErrorKind::usage,
                fmt::format("the database {} is read only, but not by a fence of ours",
                            display_identifier(fence.database)),
                fmt::format("if nobody needs it: {}", alter_database(connection, std::nullopt)));
  }
  check_rights(connection);
  if (fence.read_only) connection.exec(alter_database(connection, fence.note->former));
  remove_note(connection, *fence.note);
  transaction.commit();
  return fence.read_only ? Lowered::restored : Lowered::kept;
}

std::vector<std::string> end_sessions(Connection& connection, const std::vector<OpenSession>& sessions) {
  std::vector<std::string> refused;
  std::vector<OpenSession> ending;
  for (const auto& session : sessions) try {
      // A pid may be somebody else's by now; when a session began tells them apart.
      connection.exec(
          "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1::int "
          "AND "
          "coalesce(backend_start::pg_catalog.text, '') = $2",
          {std::to_string(session.pid), session.began});
      ending.push_back(session);
    } catch (const Error& error) {
      if (!is_insufficient_privilege(error)) throw;
      refused.push_back(fmt::format("session {} of {} cannot be ended by us: {}", session.pid,
                                    display_identifier(session.user), error.message()));
    }
  constexpr auto kPatience = std::chrono::seconds(10);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!(ending = still_there(connection, ending)).empty() && std::chrono::steady_clock::now() < deadline)
    connection.stop().sleep_for(std::chrono::milliseconds(50));
  for (const auto& session : ending)
    refused.push_back(fmt::format("session {} of {} was told to end, and has not yet", session.pid,
                                  display_identifier(session.user)));
  return refused;
}

std::string settings_without_fence() {
  return fmt::format(
      "(SELECT s.setrole, b.setting FROM pg_catalog.pg_db_role_setting s, "
      "LATERAL pg_catalog.unnest(s.setconfig) c(stored), LATERAL (SELECT {}) n(note), "
      "LATERAL (SELECT CASE WHEN n.note IS NULL OR s.setrole <> 0 OR "
      "pg_catalog.split_part(c.stored, '=', 1) <> '{}' THEN c.stored ELSE '{}=' || "
      "pg_catalog.btrim(nullif((pg_catalog.regexp_match(n.note, '{}'))[2], 'unset'), '''') END) b(setting) "
      "WHERE b.setting IS NOT NULL AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname "
      "= "
      "pg_catalog.current_database()))",
      note_query(), kSetting, kSetting, kNotePattern);
}

}  // namespace pg
