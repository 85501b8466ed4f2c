#!/usr/bin/env bash
# ./dev bench copy [--rounds N] [--scale S] [--jobs N]
#
# One whole move of the benchmark database, by cutover (its proof included), by pgcopydb and by
# pg_dump -Fd -j | pg_restore -j + ANALYZE, same servers, same number of jobs, in rotating order; and the COPY phase alone
# against as many `psql COPY binary | psql COPY binary` pairs. Prints each round, then medians and ratios, and cutover's CPU
# seconds for each GB of COPY stream with digests: of the COPY phase alone, and of the whole command, which copies and reads back.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=3 scale=40 jobs=2
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2 && shift 2 ;;
    --scale) scale=$2 && shift 2 ;;
    --jobs) jobs=$2 && shift 2 ;;
    *) sed -n '2,8p' "$0" && exit 2 ;;
  esac
done
for program in pgcopydb /usr/bin/time; do
  command -v "$program" >/dev/null || { echo "install pgcopydb and time first: apt-get install pgcopydb time" >&2; exit 2; }
done
cutover=$PWD/build/release/cutover
# shellcheck source=bench/servers.sh
. bench/servers.sh
start_servers
# shellcheck source=bench/results.sh
. bench/results.sh

echo "loading the benchmark database (pgbench scale $scale) ..."
sql "$source_url/postgres" -c 'CREATE DATABASE app'
"$pg_bin/pgbench" -q -i -s "$scale" "$source_url/app" >/dev/null 2>&1
sql -v scale="$scale" "$source_url/app" -f bench/app.sql
tables="public.events public.pgbench_accounts public.docs public.refs public.pgbench_branches public.pgbench_tellers public.pgbench_history"

check() { # the target holds what the source holds, by count and by a sum over the keys
  local query="SELECT (SELECT count(*) FROM events), (SELECT sum(id) FROM events), (SELECT count(*) FROM pgbench_accounts),
    (SELECT sum(length(body)) FROM docs), (SELECT count(*) FROM refs), (SELECT count(*) FROM pg_indexes WHERE schemaname = 'public')"
  [ "$(sql "$source_url/app" -c "$query")" = "$(sql "$target_url/app" -c "$query")" ] || { echo "$1: the target differs" >&2; exit 1; }
}

from_report() { # FIELD: a number of the last copy's report
  grep -oE "\"$1\": ?[0-9.]+" "$work/run/report.json" | grep -oE '[0-9.]+$'
}

run_cutover() {
  rm -rf "$work/run"
  clock cutover 0 "$cutover" copy --source "$source_url/app" --target "$target_url/app" --run-dir "$work/run" --jobs "$jobs" \
    --index-jobs "$jobs" --no-progress
}
run_pgcopydb() {
  rm -rf "$work/pgcopydb"
  clock pgcopydb 0 pgcopydb clone --source "$source_url/app" --target "$target_url/app" --dir "$work/pgcopydb" \
    --table-jobs "$jobs" --index-jobs "$jobs"
}
run_pg_dump() {
  rm -rf "$work/dump"
  clock pg_dump 0 sh -c "pg_dump -Fd -j $jobs -f '$work/dump' '$source_url/app' &&
    pg_restore -j $jobs -d '$target_url/app' '$work/dump' && psql -qX -c ANALYZE '$target_url/app'"
}
# The COPY phase alone: into bare tables, no index. cutover says how long its own took, from the first chunk's start to
# the last chunk's commit, and what the threads that moved them took of the processor: the proof, the plan and the start of the
# program are not in it.
bare_tables() { fresh_target app && pg_dump --section=pre-data "$source_url/app" | psql -qX "$target_url/app" >/dev/null; }
run_copy_phase() {
  rm -rf "$work/run"
  bare_tables
  clock copy_phase 0 "$cutover" copy --source "$source_url/app" --target "$target_url/app" --run-dir "$work/run" --jobs "$jobs" \
    --schema none --no-progress
  set_times "$(from_report copy_seconds)" "$(from_report copy_cpu_seconds)"
}
run_psql_pairs() {
  bare_tables
  # shellcheck disable=SC2086  # one word per table is meant
  clock psql_pairs 0 sh -c "printf '%s\n' $tables | xargs -P $jobs -I{} sh -c \
    'psql -qX -c \"COPY {} TO STDOUT (FORMAT binary)\" $source_url/app | psql -qX -c \"COPY {} FROM STDIN (FORMAT binary)\" $target_url/app'"
}

contenders=(cutover pgcopydb pg_dump)
for ((round = 1; round <= rounds; ++round)); do
  echo "round $round of $rounds (name, wall s, client CPU s, peak MB)"
  for ((i = 0; i < ${#contenders[@]}; ++i)); do
    contender=${contenders[(i + round) % ${#contenders[@]}]}
    fresh_target app
    "run_$contender"
    check "$contender"
  done
  if ((round % 2)); then run_copy_phase && run_psql_pairs; else run_psql_pairs && run_copy_phase; fi
done

summary cutover:pgcopydb cutover:pg_dump copy_phase:psql_pairs
echo
bytes=$(from_report bytes)
cpu_per_gigabyte copy_phase "$bytes" "copied, the COPY phase alone"
cpu_per_gigabyte cutover $((2 * bytes)) "copied or read back, all that the command does"
