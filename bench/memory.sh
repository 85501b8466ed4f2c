#!/usr/bin/env bash
# ./dev bench memory [--jobs N]
#
# Peak memory (RSS) of `cutover copy`, its proof included, for what must not make it grow: the benchmark database, one row
# of 300 MB (its own size is what it may take), one table of 2 and of 20 million rows, and 2,500 and 10,000 tables with twice
# as many indexes; and of `cutover plan` for the latter. At the end, how many times the time four times the tables take, and
# ten times the rows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=4
while [ $# -gt 0 ]; do
  case $1 in
    --jobs) jobs=$2 && shift 2 ;;
    *) sed -n '2,7p' "$0" && exit 2 ;;
  esac
done
[ -x /usr/bin/time ] || { echo "install time first: apt-get install time" >&2; exit 2; }
cutover=$PWD/build/release/cutover
# shellcheck source=bench/servers.sh
. bench/servers.sh
start_servers
# shellcheck source=bench/results.sh
. bench/results.sh

new_source() {
  sql "$source_url/postgres" -c 'DROP DATABASE IF EXISTS app' -c 'CREATE DATABASE app' 2>/dev/null
}

measure() { # WHAT
  fresh_target app
  rm -rf "$work/run"
  clock "$1" 0 "$cutover" copy --source "$source_url/app" --target "$target_url/app" --run-dir "$work/run" --jobs "$jobs" --no-progress
}

echo "cutover copy --jobs $jobs (name, wall s, client CPU s, peak MB)"
new_source
"$pg_bin/pgbench" -q -i -s 40 "$source_url/app" >/dev/null 2>&1
sql -v scale=40 "$source_url/app" -f bench/app.sql
measure benchmark_database

new_source
sql "$source_url/app" -c 'CREATE TABLE long_row (body text)' -c 'ALTER TABLE long_row ALTER body SET STORAGE EXTERNAL' \
  -c "INSERT INTO long_row SELECT repeat(md5('x'), 300 * 1000 * 1000 / 32)"
measure row_of_300_MB

for millions in 2 20; do
  new_source
  "$pg_bin/pgbench" -q -i -s $((millions * 10)) "$source_url/app" >/dev/null 2>&1
  measure "table_of_${millions}_million_rows"
done

for count in 2500 10000; do
  new_source
  # One statement per table: thousands of locks do not fit into one transaction.
  sql "$source_url/app" -c "SELECT format('CREATE TABLE t_%s (id int PRIMARY KEY, v text UNIQUE); INSERT INTO t_%s VALUES (1, ''x'')', i, i)
    FROM generate_series(1, $count) i" | sed 's/$/;/' | sql "$source_url/app" -f -
  measure "${count}_tables"
done

fresh_target app
clock 10000_tables_plan 0 "$cutover" plan --source "$source_url/app" --target "$target_url/app"

summary 10000_tables:2500_tables table_of_20_million_rows:table_of_2_million_rows
