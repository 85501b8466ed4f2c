# shellcheck shell=bash
# Sourced by the benchmarks: two private servers, started once and removed at the end. Needs $work, a directory.
# Sets $source_url and $target_url (without a database name).
pg_bin=/usr/lib/postgresql/15/bin

as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

free_port() { # below the range of outgoing connections, where a client can meet itself
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

bin_of() { # MAJOR: Debian's 15, or one that ./dev setup postgres has fetched
  if [ "$1" = 15 ]; then echo "$pg_bin"; else echo "${CUTOVER_PG_BINARIES:-$PWD/.cache/postgres}/$1/native/bin"; fi
}

start_server() { # NAME [MAJOR] -> prints the url
  local data=$work/$1 port bin
  bin=$(bin_of "${2:-15}")
  port=$(free_port)
  as_postgres "$bin/initdb" -D "$data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null
  as_postgres tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$work'
shared_buffers = 512MB
wal_level = logical
max_wal_size = 4GB
max_connections = 100
CONF
  as_postgres "$bin/pg_ctl" -D "$data" -l "$work/$1.log" -w start >/dev/null
  echo "postgres://postgres@127.0.0.1:$port"
}

stop_server() { # NAME
  local data=$work/$1
  as_postgres "$(bin_of "$(<"$data/PG_VERSION")")/pg_ctl" -D "$data" -m immediate -w stop >/dev/null || true
  rm -rf "$data"
}

stop_servers() {
  local version
  for version in "$work"/*/PG_VERSION; do
    [ ! -e "$version" ] || stop_server "$(basename "$(dirname "$version")")"
  done
  rm -rf "$work"
}

start_servers() {
  work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/cutover-bench.XXXXXX")
  chmod a+rx "$work"
  [ "$(id -u)" != 0 ] || chown postgres "$work"
  trap stop_servers EXIT
  source_url=$(start_server source)
  target_url=$(start_server target)
}

sql() { psql -qXAt -v ON_ERROR_STOP=1 "$@"; }

fresh_target() { # DB: empty, with both servers' dirty pages written, so that no contender pays for another
  sql "$target_url/postgres" -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1" -c CHECKPOINT 2>/dev/null
  sql "$source_url/postgres" -c CHECKPOINT
}
