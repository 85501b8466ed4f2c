#!/usr/bin/env bash
# ./dev bench verify [--rounds N] [--scale S] [--jobs N] [--no-memory]
#
# The benchmark database on two servers, compared: after a copy (the target alone is read), with both sides read, and either
# way with ten rows of each of the two largest tables changed, beside the pass over those two without (after a copy there is
# no sketch of the source: naming rows reads both sides); beside `pgcopydb compare data`, or where pgcopydb is too old to have it
# (Debian's is) its query (PEER_SQL below), run by psql on as many tables at once. Rotating order; prints each round, then
# medians and ratios round by round. Then the peak memory of comparing a table of 2 million rows and one of 20 million, each
# with ten rows that differ.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=3 scale=40 jobs=2 memory=1
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2 && shift 2 ;;
    --scale) scale=$2 && shift 2 ;;
    --jobs) jobs=$2 && shift 2 ;;
    --no-memory) memory=0 && shift ;;
    *) sed -n '2,10p' "$0" && exit 2 ;;
  esac
done
[ -x /usr/bin/time ] || { echo "install time first: apt-get install time" >&2; exit 2; }
cutover=$PWD/build/release/cutover
# shellcheck source=bench/servers.sh
. bench/servers.sh
start_servers
# shellcheck source=bench/results.sh
. bench/results.sh

echo "loading the benchmark database (pgbench scale $scale) and copying it ..."
sql "$source_url/postgres" -c 'CREATE DATABASE app'
sql "$target_url/postgres" -c 'CREATE DATABASE app'
"$pg_bin/pgbench" -q -i -s "$scale" "$source_url/app" >/dev/null 2>&1
sql -v scale="$scale" "$source_url/app" -f bench/app.sql
"$cutover" copy --source "$source_url/app" --target "$target_url/app" --run-dir "$work/run" --jobs "$jobs" --no-progress >/dev/null
sql "$target_url/app" -c 'VACUUM'
tables="events pgbench_accounts docs refs pgbench_branches pgbench_tellers pgbench_history"

run_after_copy() { clock after_copy 0 "$cutover" verify --target "$target_url/app" --run-dir "$work/run" --jobs "$jobs" --no-progress; }
run_both_sides() { clock both_sides 0 "$cutover" verify --source "$source_url/app" --target "$target_url/app" --jobs "$jobs" --no-progress; }
# The pass over the two largest tables alone, with and without differences: what naming the rows adds.
pass() { # NAME EXPECTED-CODE [OPTION...]
  clock "$1" "$2" "$cutover" verify --source "$source_url/app" --target "$target_url/app" --jobs "$jobs" --no-progress \
    --include 'public.events' --include 'public.pgbench_accounts' "${@:3}"
}
run_drill_down() {
  pass two_tables 0
  pass copied_two_tables 0 --run-dir "$work/run"
  sql "$target_url/app" -c "UPDATE events SET note = 'changed' WHERE id % (50000 * $scale / 10) = 1" \
    -c "UPDATE pgbench_accounts SET filler = 'changed' WHERE aid % (100000 * $scale / 10) = 1"
  pass two_tables_10_rows 1
  pass copied_two_tables_10_rows 1 --run-dir "$work/run"
  sql "$target_url/app" -c "UPDATE events t SET note = s.note FROM (SELECT g AS id, CASE WHEN g % 5 = 0 THEN NULL ELSE repeat(md5(g::text), 1 + g % 4) END AS note
      FROM generate_series(1, 50000 * $scale, 50000 * $scale / 10) g) s WHERE s.id = t.id" \
    -c "UPDATE pgbench_accounts SET filler = '' WHERE aid % (100000 * $scale / 10) = 1"
}
run_peer() {
  if pgcopydb compare data --help >/dev/null 2>&1; then
    rm -rf "$work/pgcopydb"
    clock peer 0 pgcopydb compare data --source "$source_url/app" --target "$target_url/app" --dir "$work/pgcopydb" --table-jobs "$jobs"
    return
  fi
  clock peer 0 sh -c "printf '%s\n' $tables | xargs -P $jobs -I{} sh -c '
    PEER_SQL=\"SELECT count(1) AS cnt, sum(hashtext(t::text)::bigint) AS chksum FROM ONLY {} t\"
    [ \"\$(psql -qXAt -c \"\$PEER_SQL\" $source_url/app)\" = \"\$(psql -qXAt -c \"\$PEER_SQL\" $target_url/app)\" ]'"
}

# One table, alike on both sides but for ten rows; what naming them needs is part of the peak.
run_memory() { # MILLIONS
  local url rows=$(($1 * 1000000))
  for url in "$source_url" "$target_url"; do
    (
      sql "$url/postgres" -c "CREATE DATABASE flat$1"
      sql "$url/flat$1" -c "CREATE UNLOGGED TABLE flat AS SELECT g::bigint AS id, md5(g::text) AS note FROM generate_series(1, $rows) g" \
        -c "ALTER TABLE flat ADD PRIMARY KEY (id)" -c "VACUUM ANALYZE flat"
    ) &
  done
  wait
  sql "$target_url/flat$1" -c "UPDATE flat SET note = 'changed' WHERE id % ($rows / 10) = 1"
  clock "memory_$1_million" 1 "$cutover" verify --source "$source_url/flat$1" --target "$target_url/flat$1" --jobs "$jobs" --no-progress
  for url in "$source_url" "$target_url"; do sql "$url/postgres" -c "DROP DATABASE flat$1"; done
}

contenders=(after_copy both_sides drill_down peer)
for ((round = 1; round <= rounds; ++round)); do
  echo "round $round of $rounds (name, wall s, client CPU s, peak MB)"
  for ((i = 0; i < ${#contenders[@]}; ++i)); do "run_${contenders[(i + round) % ${#contenders[@]}]}"; done
done
if [ $memory = 1 ]; then
  echo "memory (name, wall s, client CPU s, peak MB)"
  run_memory 2
  run_memory 20
fi

summary after_copy:peer both_sides:peer two_tables_10_rows:two_tables \
  copied_two_tables_10_rows:copied_two_tables copied_two_tables_10_rows:two_tables
