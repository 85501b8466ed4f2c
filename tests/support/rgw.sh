#!/usr/bin/env bash
# A private Ceph RADOS Gateway, a real S3 server, for tests: one monitor, one OSD in memory, one gateway, all on
# 127.0.0.1 and with their state in one directory.
#
#   rgw.sh install      the Debian packages, as root
#   rgw.sh start DIR    start it, make the bucket "cutover-test", print what is to be set in the environment
#   rgw.sh stop DIR     stop its processes and remove DIR
#
# It is no example of how to run Ceph: one replica, no authentication between the daemons, nothing durable.
set -Eeuo pipefail
umask 077
unset CEPH_CONF CEPH_ARGS CEPH_KEYRING

packages=(ceph-mon ceph-osd radosgw ceph-common curl)
access_key=CUTOVERTEST000000001
secret_key='cutover/Test+Secret0123456789abcdefghijk'
bucket=cutover-test

say() { echo "rgw: $*" >&2; }
die() {
  say "$@"
  exit 1
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The first of a row of free ports, below those that the kernel hands out: the monitor's, the gateway's and, above
# them, those that the OSD takes some of.
free_ports() {
  local port
  for _ in {1..100}; do
    port=$((20000 + RANDOM % 12000))
    if is_free "$port" && is_free $((port + 1)) && is_free $((port + 2)); then
      echo "$port"
      return
    fi
  done
  die "no free ports"
}

write_conf() {  # DIR PORT
  local dir=$1 port=$2
  cat >"$dir/ceph.conf" <<CONF
[global]
fsid = 00000000-0000-4000-8000-000000c070fe
mon host = [v2:127.0.0.1:$port]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
# Without authentication there is no encryption either, and the gateway would insist on it.
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
ms client mode = crc
ms service mode = crc
ms cluster mode = crc
ms bind msgr1 = false
ms bind ipv6 = false
ms bind port min = $((port + 2))
ms bind port max = $((port + 30))
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = $dir
pid file = $dir/\$name.pid
admin socket =
log file = $dir/\$name.log
crash dir = $dir
log to stderr = false
err to stderr = true
mon cluster log to file = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
debug rgw = 1/1

[mon]
mon data = $dir/mon
mon data avail crit = 1
mon data avail warn = 2
# There is nobody to agree with: do not wait for more.
paxos propose interval = 0.02
paxos min wait = 0.01

[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = $((12 << 30))
osd class update on start = false

[client.rgw]
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$((port + 1))
rgw enable usage log = false
rgw thread pool size = 64
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw gc obj min wait = 5
rgw gc processor period = 5
CONF
}

make_cluster() {  # DIR PORT
  local dir=$1 port=$2 fsid uuid pool commands=
  fsid=$(sed -n 's/^fsid = //p' "$dir/ceph.conf")
  uuid=$(</proc/sys/kernel/random/uuid)
  mkdir "$dir/mon" "$dir/osd" "$dir/rgw"
  monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$port]" "$dir/monmap" >/dev/null
  ceph-mon -c "$dir/ceph.conf" -i a --mkfs --monmap "$dir/monmap"
  ceph-osd -c "$dir/ceph.conf" -i 0 --mkfs --osd-uuid "$uuid" --no-mon-config || true
  ceph-mon -c "$dir/ceph.conf" -i a
  timeout 60 ceph -c "$dir/ceph.conf" --connect-timeout 30 osd new "$uuid"
  ceph-osd -c "$dir/ceph.conf" -i 0
  for pool in .rgw.root default.rgw.{log,control,meta,buckets.index,buckets.data,buckets.non-ec}; do
    commands+="osd pool create $pool 8 8"$'\n'"osd pool application enable $pool rgw"$'\n'
  done
  timeout 60 ceph -c "$dir/ceph.conf" --connect-timeout 30 <<<"$commands"
  timeout 60 radosgw-admin -c "$dir/ceph.conf" user create --uid=cutover --display-name=cutover \
    --access-key="$access_key" --secret-key="$secret_key"
  radosgw -c "$dir/ceph.conf" -n client.rgw
}

start() {  # DIR
  local dir port url
  mkdir -p "$1"
  dir=$(realpath "$1")
  for package in "${packages[@]}"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      die "$package is not installed; run as root: $0 install"
  done
  port=$(free_ports)
  url=http://127.0.0.1:$((port + 1))
  write_conf "$dir" "$port"
  trap 'say "it does not start, see $dir/start.log"' ERR
  make_cluster "$dir" "$port" >"$dir/start.log" 2>&1
  trap - ERR
  # The gateway answers once it has its pools; then a bucket can be made.
  for _ in {1..300}; do
    if curl --silent --fail --noproxy '*' --max-time 10 --output /dev/null --request PUT \
      --header 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' \
      --aws-sigv4 aws:amz:us-east-1:s3 --user "$access_key:$secret_key" "$url/$bucket"; then
      printf 'export %s=%q\n' CUTOVER_TEST_S3_ENDPOINT "$url" CUTOVER_TEST_S3_BUCKET "$bucket" \
        CUTOVER_TEST_S3_ACCESS_KEY "$access_key" CUTOVER_TEST_S3_SECRET_KEY "$secret_key"
      return
    fi
    sleep 0.1
  done
  die "no answer from $url, see $dir"
}

stop() {  # DIR
  local dir name pid
  [ -f "$1/ceph.conf" ] || die "$1 is no directory of this script"
  dir=$(realpath "$1")
  for name in client.rgw osd.0 mon.a; do
    [ -s "$dir/$name.pid" ] || continue
    pid=$(<"$dir/$name.pid")
    # Only what was started with this directory's configuration.
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -Fxq "$dir/ceph.conf" || continue
    kill -9 "$pid"
  done
  rm -rf "$dir"
}

case ${1:-} in
  install)
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -qy --no-install-recommends "${packages[@]}"
    ;;
  start) start "${2:?start where?}" ;;
  stop) stop "${2:?stop what?}" ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
