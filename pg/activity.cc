#include "pg/activity.h"

#include <algorithm>

#include "pg/session.h"

namespace pg {
namespace {

/// From 15 on the counters are in shared memory. Before, a process writes them to a file twice a second.
constexpr int kSharedCounters = 15;

/// Before the counters: a session that is not seen here has told them all it wrote.
void read_sessions(Connection& connection, Activity& activity) {
  const auto row = connection.exec(
      "SELECT n.at, coalesce(max(CASE WHEN a.pid IS NULL THEN 0 WHEN a.state LIKE 'idle%' THEN extract(epoch "
      "FROM a.state_change) * "
      "1000000 ELSE n.at END), 0)::bigint "
      "FROM (SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint) n(at) "
      "LEFT JOIN pg_catalog.pg_stat_activity a ON a.datname = pg_catalog.current_database() "
      "AND a.pid <> pg_catalog.pg_backend_pid() "
      // Our own only read here; one that has just ended may be seen for a moment longer.
      "AND coalesce(a.application_name, '') !~ '^cutover( |$)' "
      "AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker') "
      "AND (a.backend_type IS NOT NULL OR a.usesysid IS NOT NULL) GROUP BY n.at");
  activity.at = row.integer(0, 0);
  activity.last_active = row.integer(0, 1);
}

/// TRUNCATE gives a table another file, which is an update of pg_class. Vacuum and ANALYZE are none.
void read_counters(Connection& connection, Activity& activity) {
  const auto row = connection.exec(
      "SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), d.stats_reset), "
      "pg_catalog.concat_ws(' ', "
      "(SELECT sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del) FROM pg_catalog.pg_stat_all_tables t "
      "WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema' "
      "OR t.schemaname = 'pg_catalog' AND t.relname IN ('pg_class', 'pg_largeobject')), "
      "(SELECT sum(pg_catalog.hashtext(s::pg_catalog.text)) FROM pg_catalog.pg_sequences s)), "
      "pg_catalog.current_setting('track_counts')::boolean "
      "FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()");
  if (row.rows() == 0 || !row.boolean(0, 2)) return;
  activity.counted_since = row.string(0, 0);
  activity.written = row.string(0, 1);
}

}  // namespace

Activity read_activity(const Conninfo& conninfo, const base::Stop& stop) {
  Activity activity;
  auto connection = open_session(conninfo, {}, stop);
  read_sessions(connection, activity);
  if (connection.major() < kSharedCounters) connection.exec("SELECT pg_catalog.pg_sleep(0.6)");
  read_counters(connection, activity);
  activity.mark = SnapshotKeeper(std::move(connection)).mark();
  return activity;
}

Writes writes_between(const Activity& earlier, const Activity& later) {
  if (later.mark.unchanged_since(earlier.mark)) return Writes::none;
  const bool counted = !later.counted_since.empty() && later.counted_since == earlier.counted_since &&
                       later.mark.same_database(earlier.mark);
  if (!counted) return Writes::unknown;
  if (later.written != earlier.written) return Writes::some;
  return later.last_active < earlier.at ? Writes::none : Writes::unknown;
}

}  // namespace pg
