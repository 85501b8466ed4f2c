#!/usr/bin/env bash
# packaging/test_package.sh FILE.deb: installs the package on a clean Debian 12 (a chroot that debootstrap makes; for root)
# and uses it there. Where that cannot be done it fails: what was not tried does not work.
set -euo pipefail
package=$(realpath "$1")
root=$(mktemp -d)
chmod 755 "$root"  # it becomes the / of others than root, too
trap 'umount -q "$root/proc" || true; rm -rf --one-file-system "$root"' EXIT

fail() {
  echo "package: $*" >&2
  exit 1
}

# What the program must do where nothing but the package is installed. $@: how to run something there.
check() {
  local out
  "$@" cutover --version | grep -q '^cutover [0-9]' || fail "it does not say its version"
  "$@" cutover copy --help | grep -q -- --role-map || fail "it has no help"
  out=$("$@" cutover plan --source postgres://u:sEcret@127.0.0.1:1/a --target postgres://u:sEcret@127.0.0.1:1/b \
    --retry-for 0 2>&1) && fail "a plan without servers went well"
  grep -q 'connection refused\|Connection refused' <<<"$out" || fail "no word of the server that is not there: $out"
  ! grep -q sEcret <<<"$out" || fail "a password was shown"
}

check_files() {  # ROOT
  local file
  for file in bin/cutover share/man/man1/cutover.1.gz share/bash-completion/completions/cutover \
    share/zsh/vendor-completions/_cutover share/fish/vendor_completions.d/cutover.fish \
    share/doc/cutover/README.md share/doc/cutover/docs/architecture.md share/doc/cutover/examples/cutover.toml \
    share/doc/cutover/examples/ecs-task.json share/doc/cutover/examples/kubernetes-job.yaml; do
    [ -s "$1/usr/$file" ] || fail "/usr/$file is not there"
  done
  zcat "$1/usr/share/man/man1/cutover.1.gz" | grep -q '^\.TH CUTOVER 1' || fail "the manual is none"
  ! grep -q CUTOVER_CRASH_AT "$1/usr/bin/cutover" || fail "it has crash points"
}

install_there() {  # PACKAGE…
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 install -qy \
    --no-install-recommends "$@" >"$root.log" 2>&1 || { cat "$root.log" >&2 && fail "apt-get cannot install $*"; }
  rm "$root.log"
}

# README.md's walk on a new machine: the package, a server's programs, and the whole story on servers of its own.
run_demo_there() {
  mount -t proc proc "$root/proc" || fail "the demo needs /proc, which cannot be mounted here"
  install_there postgresql-common
  sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' "$root/etc/postgresql-common/createcluster.conf"
  install_there postgresql
  mkdir -p "$root/dev/shm" && chmod 1777 "$root/dev/shm"
  chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c 'cd /root && cutover demo --no-progress' >"$root.log" 2>&1 ||
    { cat "$root.log" >&2 && fail "the demo failed"; }
  grep -q '^GO: ' "$root.log" || { cat "$root.log" >&2 && fail "the demo did not come to GO"; }
  rm "$root.log"
  [ -s "$root/root/cutover-demo.html" ] || fail "the demo left no page"
  umount "$root/proc"
  echo "package: the demo went from nothing to GO there"
}

test_in_chroot() {
  # The archive that this machine takes its own packages from.
  local mirror
  mirror=$(sed -nE 's/^(URIs:|deb) +(\[[^]]*\] +)?(https?:[^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -v security | head -n 1) || mirror=''
  debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
    { cat "$root.log" >&2 && fail "debootstrap makes no Debian 12"; }
  rm "$root.log"
  cp "$package" "$root/tmp/cutover.deb"
  install_there /tmp/cutover.deb
  check_files "$root"
  check chroot "$root"
  # shellcheck disable=SC2016 # for the other shell
  chroot "$root" bash -c 'source /usr/share/bash-completion/completions/cutover
    COMP_WORDS=(cutover fence o) COMP_CWORD=2; _cutover; [ "${COMPREPLY[*]}" = "on off" ]' || fail "bash completes nothing"
  chroot "$root" cutover config check --quiet --config /usr/share/doc/cutover/examples/cutover.toml >/dev/null
  run_demo_there
  chroot "$root" apt-get -o Dpkg::Use-Pty=0 purge -qy cutover >/dev/null
  if [ -e "$root/usr/bin/cutover" ] || [ -e "$root/usr/share/doc/cutover" ]; then fail "purging it left something"; fi
  echo "package: installed with its dependencies, ran and was purged on a clean Debian 12 (debootstrap)"
}

dpkg-deb --field "$package" Depends | grep -q libpq5 || fail "it does not depend on libpq5"
dpkg-deb --field "$package" Recommends | grep -q postgresql-client || fail "it does not recommend postgresql-client"
[ "$(id -u)" = 0 ] || fail "a clean Debian is made by root alone: sudo ./dev package"
command -v debootstrap >/dev/null || fail "there is no debootstrap"
test_in_chroot
