#!/usr/bin/env bash
# A Docker Engine, two registries and a base image for tests and CI, on a Debian or Ubuntu machine as root; nothing of it is for users.
#
#   docker-up.sh            brings up what is not there yet, and prints NAME=VALUE lines on stdout (everything else goes to stderr)
#   docker-up.sh kill       ends the Engine the hard way; its containers go on, and the next call adopts them
#   docker-up.sh down       removes all containers of the Engine and ends it and the registries; images stay for the next time
#
# DAVIT_TEST_ENGINE=N chooses one of ten Engines (0 to 9) that live side by side: each has a folder, a bridge and ports of its own.
# DAVIT_TEST_ENGINE_FOLDER moves the folder; DAVIT_TEST_DOCKERD_ARGS are further arguments for the Engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

number=${DAVIT_TEST_ENGINE:-0}
[[ $number =~ ^[0-9]$ ]] || { echo "DAVIT_TEST_ENGINE must be 0 to 9, not '$number'" >&2; exit 2; }
folder=${DAVIT_TEST_ENGINE_FOLDER:-/var/tmp/davit-engine-$number}
bridge=davit-test$number
gateway=172.31.$number.1
open_port=$((5500 + number * 10))
login_port=$((open_port + 1))
user=tester
password=not-secret-$number
socket=$folder/docker.sock
export DOCKER_HOST=unix://$socket

say() { echo "docker-up: $*" >&2; }
fail() { say "$1"; [ -z "${2:-}" ] || tail -n 15 "$2" >&2; exit 1; }

# Tries a command for up to $1 tenths of a second.
within() {
  local left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.1
  done
}

# Is the process of this pid file there, and the program that it should be? Numbers of processes are used again.
lives() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}
ended() { ! lives "$@"; }
end() {
  lives "$1" "$2" || return 0
  kill "${3:--TERM}" "$(cat "$1")" 2>/dev/null || true
  within 200 ended "$1" "$2" || kill -KILL "$(cat "$1")" 2>/dev/null || true
  within 100 ended "$1" "$2"
}

install_packages() {
  local missing=() pair
  for pair in dockerd:docker.io docker-registry:docker-registry iptables:iptables ip:iproute2 htpasswd:apache2-utils curl:curl mmdebstrap:mmdebstrap git:git docker-compose:docker-compose; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "${missing[*]} not found, and no apt-get to install them with"
  say "installing ${missing[*]}"
  # The packages' own services stay off: without systemd they cannot start, and with it the policy forbids them.
  local policy=/usr/sbin/policy-rc.d made=
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; made=yes; }
  local status=0
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$folder/apt.log" 2>&1 || status=$?
  [ -z "$made" ] || rm -f $policy
  [ $status = 0 ] || fail "the packages could not be installed" "$folder/apt.log"
}

start_registry() {
  local name=$1 port=$2 auth=$3 pid_file=$folder/$1.pid
  lives "$pid_file" docker-registry && return 0
  cat >"$folder/$name.yml" <<YML
version: 0.1
log: { level: warn }
storage: { filesystem: { rootdirectory: $folder/$name }, delete: { enabled: true } }
http: { addr: '127.0.0.1:$port' }
$auth
YML
  setsid docker-registry serve "$folder/$name.yml" >>"$folder/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$pid_file"
  within 100 curl -s -o /dev/null "http://127.0.0.1:$port/v2/" || fail "the registry $name does not answer" "$folder/$name.log"
}

engine_answers() { curl -sf --max-time 2 --unix-socket "$socket" http://engine/_ping; }

start_engine() {
  lives "$folder/dockerd.pid" dockerd && engine_answers >/dev/null && return 0
  end "$folder/dockerd.pid" dockerd
  # A killed Engine leaves its file behind, and the next one refuses to start beside it.
  rm -f "$folder/dockerd.pid"
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add name "$bridge" type bridge
    ip address add "$gateway/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  say "starting the Engine"
  # shellcheck disable=SC2086
  setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" --host "unix://$socket" \
    --bridge "$bridge" --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --live-restore \
    --registry-mirror "http://127.0.0.1:$open_port" ${DAVIT_TEST_DOCKERD_ARGS:-} >>"$folder/dockerd.log" 2>&1 </dev/null 9>&- &
  within 400 engine_answers || fail "the Engine does not answer" "$folder/dockerd.log"
}

docker=/usr/bin/docker
case ${1:-up} in
  up) ;;
  kill) end "$folder/dockerd.pid" dockerd -KILL; exit 0 ;;
  down)
    if engine_answers >/dev/null 2>&1; then
      mapfile -t left < <($docker ps -aq)
      [ "${#left[@]}" = 0 ] || $docker rm -f "${left[@]}" >/dev/null 2>&1 || true
    fi
    end "$folder/dockerd.pid" dockerd
    for name in open login; do end "$folder/$name.pid" docker-registry; done
    ip link delete "$bridge" 2>/dev/null || true
    exit 0
    ;;
  *) echo "usage: docker-up.sh [up|kill|down]" >&2; exit 2 ;;
esac

[ "$(id -u)" = 0 ] || fail "an Engine for tests needs root"
mkdir -p "$folder"
# Test workers ask at the same time; what is started must not inherit the lock.
exec 9>"$folder/lock"
flock 9
install_packages
start_registry open "$open_port" ""
[ -s "$folder/htpasswd" ] || htpasswd -Bbn "$user" "$password" >"$folder/htpasswd" 2>/dev/null
start_registry login "$login_port" "auth: { htpasswd: { realm: davit-test, path: $folder/htpasswd } }"
start_engine
"$here/base-image.sh" "$folder" "127.0.0.1:$open_port" >&2

cat <<OUT
DOCKER_HOST=unix://$socket
REGISTRY=127.0.0.1:$open_port
REGISTRY_LOGIN=127.0.0.1:$login_port
REGISTRY_USER=$user
REGISTRY_PASSWORD=$password
BASE_IMAGE=python:3.11
GATEWAY=$gateway
DOCKERD_PID=$(cat "$folder/dockerd.pid")
ENGINE_FOLDER=$folder
OUT
