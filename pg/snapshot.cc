#include "pg/snapshot.h"

#include <fmt/format.h>

#include "pg/quote.h"

namespace pg {
namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

// pg_control_system() is not for everybody on managed servers; without it the database's oid, its name and
// the transaction ids still have to agree.
std::string system_identifier(Connection& connection) {
  const auto allowed = connection.exec(
      "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')");
  if (!allowed.boolean(0, 0)) return {};
  return connection.exec("SELECT system_identifier FROM pg_catalog.pg_control_system()").string(0, 0);
}

// pg_control_checkpoint() would lag behind a promotion; the name of the file that is written now does not.
std::string timeline(Connection& connection) {
  try {
    return connection
        .exec("SELECT pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)")
        .string(0, 0);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::permanent) throw;
    return {};  // a provider's server that keeps its WAL elsewhere: nothing is proven then
  }
}

}  // namespace

bool SnapshotMark::unchanged_since(const SnapshotMark& earlier) const {
  const auto first = transactions.find(':');
  const auto second = transactions.find(':', first + 1);
  if (first == 0 || first == std::string::npos || second == std::string::npos) return false;
  const bool none_in_progress =
      transactions.substr(0, first) == transactions.substr(first + 1, second - first - 1) &&
      second + 1 == transactions.size();
  return none_in_progress && transactions == earlier.transactions && same_database(earlier) &&
         !timeline.empty() && timeline == earlier.timeline;
}

bool SnapshotMark::same_identity(const SnapshotMark& other) const {
  return database_oid == other.database_oid && system_identifier == other.system_identifier;
}

bool SnapshotMark::same_database(const SnapshotMark& other) const {
  return same_identity(other) && server_start == other.server_start;
}

SnapshotKeeper::SnapshotKeeper(Connection connection) : connection_(std::move(connection)) {
  mark_.system_identifier = system_identifier(connection_);
  const auto recovery = connection_.exec("SELECT pg_catalog.pg_is_in_recovery()").boolean(0, 0);
  mark_.lsn = connection_
                  .exec(recovery ? "SELECT coalesce(pg_catalog.pg_last_wal_replay_lsn()::text, '')"
                                 : "SELECT pg_catalog.pg_current_wal_lsn()::text")
                  .string(0, 0);
  if (!recovery) mark_.timeline = timeline(connection_);
  mark_.server_start = connection_
                           .exec(
                               "SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), "
                               "(SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter))")
                           .string(0, 0);
  connection_.exec(kBegin);
  const auto row = connection_.exec(
      "SELECT pg_catalog.txid_current_snapshot()::text, "
      "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), "
      "pg_catalog.pg_export_snapshot()");
  mark_.transactions = row.string(0, 0);
  mark_.database_oid = row.oid(0, 1);
  id_ = row.string(0, 2);
}

namespace {
constexpr std::string_view kInvalidParameterValue = "22023";
constexpr std::string_view kUndefinedObject = "42704";               // from some majors
constexpr std::string_view kObjectNotInPrerequisiteState = "55000";  // its transaction is just about to end
}  // namespace

void import_snapshot(Connection& connection, const std::string& snapshot_id,
                     const std::string& transactions) {
  const auto row = connection.exec(
      fmt::format("{}; SET TRANSACTION SNAPSHOT {}; SELECT pg_catalog.txid_current_snapshot()::text", kBegin,
                  quote_literal(snapshot_id)));
  if (row.text(0, 0) == transactions) return;
  throw base::Error(base::ErrorKind::permanent,
                    fmt::format("snapshot {} is another one now: {} instead of {}", snapshot_id,
                                row.text(0, 0), transactions))
      .sqlstate(kInvalidParameterValue);
}

bool is_snapshot_gone(const base::Error& error) {
  return error.sqlstate() == kInvalidParameterValue || error.sqlstate() == kUndefinedObject ||
         error.sqlstate() == kObjectNotInPrerequisiteState;
}

}  // namespace pg
