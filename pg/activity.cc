#include "pg/activity.h"

#include <algorithm>
#include <iterator>

#include "pg/session.h"

namespace pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// From 15 on the counters are in shared memory. Before, a process writes them to a file twice a second.
constexpr int kSharedCounters = 15;

/// When a session tells the counters what it wrote: pgstat_report_stat() of the server, and a second for its
/// clocks. From 15 on it is at the end of a transaction, unless it has told them within the last second or
/// finds them locked, but then after a minute at the latest (PGSTAT_MAX_INTERVAL); and when it has been idle
/// for 10 seconds (PGSTAT_IDLE_INTERVAL). Before, only at the end of a transaction, half a second after the
/// last time (PGSTAT_STAT_INTERVAL). When it ends it always does.
void set_when_it_is_told(Activity& activity, int major) {
  const bool shared = major >= kSharedCounters;
  activity.idle_tells = shared ? seconds(11) : seconds(0);
  activity.busy_tells = shared ? milliseconds(61'000) : milliseconds(1'500);
}

/// Before the counters: a session that is not seen here has told them all it wrote.
void read_sessions(Connection& connection, Activity& activity) {
  const auto rows = connection.exec(
      "SELECT n.at, a.pid, coalesce(a.application_name, ''), "
      "coalesce(extract(epoch FROM a.backend_start) * 1000000, 0)::bigint, "
      "coalesce(CASE WHEN a.state LIKE 'idle%' THEN extract(epoch FROM a.state_change) * 1000000 END, "
      "n.at)::bigint, "
      // Only these are sure to tell when they rest.
      "coalesce(a.state = 'idle' AND a.backend_type = 'client backend', false) "
      "FROM (SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint) n(at) "
      "LEFT JOIN pg_catalog.pg_stat_activity a ON a.datname = pg_catalog.current_database() "
      "AND a.pid <> pg_catalog.pg_backend_pid() "
      // Our own only read here; one that has just ended may be seen for a moment longer.
      "AND coalesce(a.application_name, '') !~ '^cutover( |$)' "
      "AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker') "
      "AND (a.backend_type IS NOT NULL OR a.usesysid IS NOT NULL)");
  activity.at = rows.integer(0, 0);
  for (int row = 0; row < rows.rows(); ++row)
    if (!rows.is_null(row, 1))
      activity.sessions.push_back({.pid = rows.integer(row, 1),
                                   .application = rows.string(row, 2),
                                   .began = rows.integer(row, 3),
                                   .since = rows.integer(row, 4),
                                   .idle = rows.boolean(row, 5)});
}

/// TRUNCATE gives a table another file, which is an update of pg_class. Vacuum and ANALYZE are none.
void read_counters(Connection& connection, Activity& activity) {
  const auto row = connection.exec(
      "SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), d.stats_reset), "
      "(SELECT sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del) FROM pg_catalog.pg_stat_all_tables t "
      "WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema' "
      "OR t.schemaname = 'pg_catalog' AND t.relname IN ('pg_class', 'pg_largeobject'))::text, "
      "pg_catalog.current_setting('track_counts')::boolean "
      "FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()");
  if (row.rows() == 0 || !row.boolean(0, 2)) return;
  activity.counted_since = row.string(0, 0);
  activity.written = row.string(0, 1);
}

void read_sequences(Connection& connection, Activity& activity) {
  activity.sequences = connection
                           .exec(
                               "SELECT coalesce(sum(pg_catalog.hashtext(s::pg_catalog.text)), 0)::text FROM "
                               "pg_catalog.pg_sequences s")
                           .string(0, 0);
}

/// May it still have to tell what it wrote before `end`?
bool is_untold(const SessionActivity& session, const Activity& earlier, const Activity& end,
               const Activity& later) {
  if (session.since < earlier.at) return false;  // it has done nothing since
  if (session.began > end.at) return false;      // and this one nothing before
  if (!session.idle) return true;
  const bool has_rested =
      later.idle_tells.count() > 0 && later.at - session.since >= later.idle_tells.count();
  return !has_rested && session.since - end.at < later.busy_tells.count();
}

}  // namespace

Activity read_activity(const Conninfo& conninfo, const base::Stop& stop) {
  Activity activity;
  auto connection = open_session(conninfo, {}, stop);
  set_when_it_is_told(activity, connection.major());
  read_sessions(connection, activity);
  if (connection.major() < kSharedCounters) connection.exec("SELECT pg_catalog.pg_sleep(0.6)");
  read_counters(connection, activity);
  read_sequences(connection, activity);
  activity.mark = SnapshotKeeper(std::move(connection)).mark();
  return activity;
}

WritesBetween writes_between(const Activity& earlier, const Activity& end, const Activity& later) {
  // Nobody tells these late.
  if (end.mark.same_database(earlier.mark) && end.sequences != earlier.sequences) return {Writes::some, {}};
  if (end.mark.unchanged_since(earlier.mark)) return {Writes::none, {}};
  const bool counted = later.mark.same_database(earlier.mark) && !later.counted_since.empty() &&
                       later.counted_since == earlier.counted_since;
  if (!counted) return {Writes::unknown, {}};
  if (later.written != earlier.written) return {Writes::some, {}};
  WritesBetween out;
  std::ranges::copy_if(later.sessions, std::back_inserter(out.untold),
                       [&](const auto& session) { return is_untold(session, earlier, end, later); });
  if (!out.untold.empty()) out.writes = Writes::untold;
  return out;
}

}  // namespace pg
