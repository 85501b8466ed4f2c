#!/usr/bin/env bash
# ./dev demo: moves the sample database between two private servers, is killed in the middle, resumes, and shows the
# verdict. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cutover=$PWD/build/release/cutover
# shellcheck source=bench/servers.sh
. bench/servers.sh

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

say "starting two private PostgreSQL 15 servers"
start_servers
echo "source $source_url, target $target_url"

say "loading the sample database Atlas into the source"
sql "$source_url/postgres" -c 'CREATE DATABASE atlas'
sql -v scale=4 "$source_url/atlas" -f tests/data/atlas.sql >/dev/null
sql "$target_url/postgres" -c 'CREATE DATABASE atlas'
sql "$target_url/postgres" -f tests/data/atlas_roles.sql
export CUTOVER_SOURCE=$source_url/atlas CUTOVER_TARGET=$target_url/atlas
run=$work/run

say "cutover plan"
"$cutover" plan

say "cutover copy, killed with SIGKILL in the middle"
"$cutover" copy --run-dir "$run" --jobs 2 --split-size 1MB --no-progress &
copy=$!
# In the middle: some chunks are on the target, some are not.
until [ "$(sql "$target_url/atlas" -c 'SELECT count(*) FROM cutover.chunk' 2>/dev/null || echo 0)" -ge 20 ]; do
  kill -0 "$copy" 2>/dev/null || break
done
kill -KILL "$copy" 2>/dev/null || true
wait "$copy" 2>/dev/null && code=0 || code=$?
[ "$code" = $((128 + 9)) ] || { echo "the copy was to be killed in the middle, and ended with exit code $code" >&2; exit 1; }
"$cutover" status "$run"

say "the same command again resumes"
"$cutover" copy --run-dir "$run" --jobs 2 --split-size 1MB --no-progress && code=0 || code=$?
say "exit code $code"

say "cutover clean"
"$cutover" clean --run-dir "$run" --yes
exit "$code"
