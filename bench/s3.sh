#!/usr/bin/env bash
# ./dev bench s3 [--rounds N] [--large MB] [--small N] [--servers 'http https rgw'] [--no-memory]
#
# Uploads of 1 GiB in four large files and of 5,000 files of 32 KiB, by cutover, rclone and aws-cli in rotating order,
# to a server that throws contents away (bench/null_sink.cc; http and https) and to a Ceph gateway. Prints each
# upload's wall time, the client's CPU time and its peak memory, then medians and ratios; then the requests of a run with
# nothing to do, and peak memory for a sparse file of 20 GB and for 100,000 files. What the gateway can do at most is told by
# "bare": curl sends the same bytes as objects of a part's size, 32 at once, with signatures and with MD5s that it is given;
# "guarded": the same, on condition that nothing is there, and with the file's time, as cutover asks for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=3 large=256 small=5000 servers='http https rgw' memory=1
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2 && shift 2 ;;
    --large) large=$2 && shift 2 ;;
    --small) small=$2 && shift 2 ;;
    --servers) servers=$2 && shift 2 ;;
    --no-memory) memory=0 && shift ;;
    *) sed -n '2,9p' "$0" && exit 2 ;;
  esac
done
for program in rclone /usr/bin/aws /usr/bin/time openssl; do
  command -v "$program" >/dev/null || { echo "install these first: apt-get install rclone awscli time openssl" >&2; exit 2; }
done
cmake --preset bench >/dev/null
cmake --build --preset bench --target cutover null_sink >/dev/null
cutover=$PWD/build/bench/cutover
# In the page cache, as a directory that was just written would be.
work=$(mktemp -d /var/tmp/cutover-bench-XXXXXX)
sink='' rgw=''
stop_all() {
  [ -z "$sink" ] || kill "$sink" 2>/dev/null || true
  [ -z "$rgw" ] || tests/support/rgw.sh stop "$rgw"
  rm -rf "$work"
}
trap stop_all EXIT
# shellcheck source=bench/results.sh
. bench/results.sh
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE
export AWS_EC2_METADATA_DISABLED=true AWS_REGION=us-east-1 AWS_CONFIG_FILE=$work/aws.config
# As many transfers at once for all three.
printf '[default]\ns3 =\n  max_concurrent_requests = 32\n  multipart_chunksize = 16MB\n' >"$AWS_CONFIG_FILE"
peer_options=(--transfers 32 --checkers 32 --s3-chunk-size 16M --s3-upload-concurrency 8 --s3-no-check-bucket)

start_sink() { # [CERTIFICATE KEY]
  rm -f "$work/port"
  build/bench/bench/null_sink "$@" >"$work/port" &
  sink=$!
  until [ -s "$work/port" ]; do sleep 0.05; done
  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=thing
  bucket=bucket
}
start_server() { # http|https|rgw: sets $endpoint and $bucket
  unset AWS_CA_BUNDLE SSL_CERT_FILE
  case $1 in
    http) start_sink && endpoint=http://127.0.0.1:$(<"$work/port") ;;
    https)
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/ca.pem" -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
      start_sink "$work/ca.pem" "$work/key.pem"
      endpoint=https://localhost:$(<"$work/port")
      certificate=$work/ca.pem
      ;;
    rgw)
      rgw=$work/rgw
      eval "$(tests/support/rgw.sh start "$rgw")"
      endpoint=$CUTOVER_TEST_S3_ENDPOINT bucket=$CUTOVER_TEST_S3_BUCKET
      export AWS_ACCESS_KEY_ID=$CUTOVER_TEST_S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$CUTOVER_TEST_S3_SECRET_KEY
      ;;
  esac
  export RCLONE_CONFIG_B_TYPE=s3 RCLONE_CONFIG_B_PROVIDER=Ceph RCLONE_CONFIG_B_REGION=us-east-1 \
    RCLONE_CONFIG_B_ENDPOINT=$endpoint RCLONE_CONFIG_B_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID \
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY RCLONE_CONFIG=$work/rclone.conf
}
stop_server() {
  if [ -n "$sink" ]; then
    kill "$sink"
    wait "$sink" 2>/dev/null || true
  fi
  [ -z "$rgw" ] || tests/support/rgw.sh stop "$rgw"
  sink='' rgw='' certificate=''
}
certificate=''

with_certificate() { # VARIABLE COMMAND...: each client has its own
  local variable=$1
  shift
  [ -z "$certificate" ] || export "$variable=$certificate"
  "$@"
  unset "$variable"
}
number=0
run_cutover() { # SERVER WORKLOAD
  rm -rf "$work/run"
  with_certificate AWS_CA_BUNDLE clock "$1/$2/cutover" 0 "$cutover" upload "$work/$2" "s3://$bucket/$((++number))" \
    --endpoint-url "$endpoint" --run-dir "$work/run" --no-progress
}
run_rclone() {
  with_certificate SSL_CERT_FILE clock "$1/$2/rclone" 0 rclone copy "$work/$2" "B:$bucket/$((++number))" "${peer_options[@]}"
}
run_aws() {
  with_certificate AWS_CA_BUNDLE clock "$1/$2/aws" 0 /usr/bin/aws s3 cp --recursive --only-show-errors --endpoint-url "$endpoint" \
    "$work/$2" "s3://$bucket/$((++number))"
}
# Files of a part's size, and with them what curl is to do. Their MD5s are no part of what is timed.
run_bare() { run_curl "$@" bare; }
run_guarded() { run_curl "$@" guarded 'If-None-Match: *' 'x-amz-meta-mtime: 1700000000.123456789'; }
run_curl() { # SERVER WORKLOAD NAME HEADER…
  python3 - "$work/$2-parts" "$endpoint/$bucket/$((++number))" "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "${@:4}" >"$work/curl" <<'PYTHON'
import base64, hashlib, os, sys
directory, url, user, *headers = sys.argv[1:]
for name in os.listdir(directory):
    path = os.path.join(directory, name)
    with open(path, "rb") as file:
        md5 = base64.b64encode(hashlib.md5(file.read()).digest()).decode()
    print(f"""upload-file = "{path}"
url = "{url}/{name}"
user = "{user}"
aws-sigv4 = "aws:amz:us-east-1:s3"
header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
header = "Content-MD5: {md5}"
fail""")
    for header in headers:
        print(f'header = "{header}"')
    print("next")
PYTHON
  sed -i '$d' "$work/curl"
  clock "$1/$2/$3" 0 curl --silent --parallel --parallel-immediate --parallel-max 32 --config "$work/curl"
}

echo "making the files ..."
mkdir "$work/large" "$work/small" "$work/large-parts"
ln -s small "$work/small-parts"
for i in 1 2 3 4; do head -c "$((large << 20))" /dev/urandom >"$work/large/$i"; done
for ((i = 0; i < small; ++i)); do head -c 32768 /dev/urandom >"$work/small/$i"; done
split --bytes=16M --suffix-length=3 <(cat "$work/large"/*) "$work/large-parts/"
sync

for server in $servers; do
  contenders=(cutover rclone aws)
  [ "$server" != rgw ] || contenders+=(bare guarded)
  for ((round = 1; round <= rounds; ++round)); do
    # The gateway keeps all in memory, and grows slower with what it has.
    [ "$round" = 1 ] || stop_server
    start_server "$server"
    echo "$server, round $round of $rounds (name, wall s, client CPU s, peak MB)"
    for workload in large small; do
      for ((i = 0; i < ${#contenders[@]}; ++i)); do
        "run_${contenders[(i + round) % ${#contenders[@]}]}" "$server" "$workload"
      done
    done
  done
  if [ "$server" = http ]; then
    run_cutover rerun small >/dev/null
    sleep 2.1 # files of an age that their times can be believed
    with_certificate AWS_CA_BUNDLE "$cutover" upload "$work/small" "s3://$bucket/$number" --endpoint-url "$endpoint" \
      --run-dir "$work/run" --no-progress --report-json |
      grep -oE '"(unchanged|bytes_sent|requests)": ?[0-9]+' | paste -sd' ' | sed 's/^/with nothing changed: /'
  fi
  stop_server
done
sed -i '/^rerun/d' "$results"

if [ $memory = 1 ]; then
  echo "peak memory (name, wall s, client CPU s, peak MB)"
  start_server http
  mkdir "$work/sparse" "$work/many"
  truncate -s 20G "$work/sparse/file"
  run_cutover memory sparse
  for ((i = 0; i < 100; ++i)); do
    mkdir "$work/many/$i"
    (cd "$work/many/$i" && seq -f 'file-%g' 1000 | xargs -n 1000 touch)
  done
  run_cutover memory many
  stop_server
fi

pairs=()
for server in $servers; do
  for workload in large small; do
    for peer in rclone aws bare guarded; do pairs+=("$server/$workload/$peer:$server/$workload/cutover"); done
  done
done
summary "${pairs[@]}"
