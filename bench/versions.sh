#!/usr/bin/env bash
# ./dev bench versions [--scale S] [--jobs N]
#
# The benchmark database from 15 to 15, 16, 17 and 18 with its schema, and rows only from 12, 13, 14, 16, 17 and 18 to 15
# (`--schema none`). Each copy is compared by `cutover verify` reading both sides, and by psql: counts, and sums of md5s of the
# rows' text. Prints wall time, client CPU and peak memory of each copy, and ends with 1 when one is not equal.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scale=40 jobs=2
while [ $# -gt 0 ]; do
  case $1 in
    --scale) scale=$2 && shift 2 ;;
    --jobs) jobs=$2 && shift 2 ;;
    *) sed -n '2,6p' "$0" && exit 2 ;;
  esac
done
[ -x /usr/bin/time ] || { echo "install time first: apt-get install time" >&2; exit 2; }
./dev setup postgres
cutover=$PWD/build/release/cutover
# shellcheck source=bench/servers.sh
. bench/servers.sh
start_servers
# shellcheck source=bench/results.sh
. bench/results.sh

load() { # URL
  sql "$1/postgres" -c 'CREATE DATABASE app'
  "$pg_bin/pgbench" -q -i -s "$scale" "$1/app" >/dev/null 2>&1
  sql -v scale="$scale" "$1/app" -f bench/app.sql
}
by_hand() { # URL: what is in each table and sequence
  local table
  for table in events docs refs pgbench_accounts pgbench_branches pgbench_tellers pgbench_history; do
    PGOPTIONS='-c extra_float_digits=1 -c timezone=UTC' sql "$1/app" \
      -c "SELECT '$table', count(*), sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) FROM $table t"
  done
  sql "$1/app" -c "SELECT 'events_id_seq', last_value, is_called FROM events_id_seq" \
    -c "SELECT 'docs_id_seq', last_value, is_called FROM docs_id_seq"
}
copy_and_compare() { # NAME SOURCE TARGET [OPTION...]
  rm -rf "$work/run"
  clock "$1" 0 "$cutover" copy --source "$2/app" --target "$3/app" --run-dir "$work/run" --jobs "$jobs" --no-progress "${@:4}"
  "$cutover" verify --source "$2/app" --target "$3/app" --jobs "$jobs" --no-progress --level digests \
    >"$work/out" || { cat "$work/out" >&2 && exit 1; }
  by_hand "$2" >"$work/there"
  by_hand "$3" >"$work/here"
  diff "$work/there" "$work/here" >&2 || { echo "$1: not equal by psql" >&2 && exit 1; }
  echo "  equal: $(head -n 1 "$work/out")"
}

echo "from one server to another (name, wall s, client CPU s, peak MB)"
load "$source_url"
for major in 15 16 17 18; do
  [ "$major" = 15 ] || target_url=$(start_server "to$major" "$major")
  sql "$target_url/postgres" -c 'CREATE DATABASE app'
  copy_and_compare "15_to_$major" "$source_url" "$target_url"
  if [ "$major" = 15 ]; then stop_server target; else stop_server "to$major"; fi
done
target_url=$(start_server target)
for major in 12 13 14 16 17 18; do
  old_url=$(start_server "from$major" "$major")
  load "$old_url"
  fresh_target app
  "$pg_bin/pg_dump" --schema-only "$source_url/app" | sql "$target_url/app" -f - >/dev/null
  copy_and_compare "${major}_to_15" "$old_url" "$target_url" --schema none
  stop_server "from$major"
done
