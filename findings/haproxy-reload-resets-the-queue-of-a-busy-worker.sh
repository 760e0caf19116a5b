#!/bin/bash
# HAProxy 2.6.12 (Debian 12, haproxy 2.6.12-1+deb12u4), -W: a reload (SIGUSR2) while the worker is busy for over a
# second resets the clients in its queue.
#
# Guess: all of them are served, however long the old worker is busy: the next one takes over the listening socket.
#
# Seen: the master asks the worker for its listening sockets, and gives up if no answer comes; with 0.8 s all clients
# were served, and with 1.2 s none. The next worker then listens on a socket of its own beside the old one, and the old
# worker closes the socket with the queue when it goes on. The log has an alert that names no client.
#
# Output: busy for 0.3 s: 5 served, 0 reset
#         busy for 3 s: 0 served, 5 reset
#         logged: Failed to get the sockets from the old process!
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat >"$place/haproxy.cfg" <<C
global
  nbthread 1
defaults
  mode http
  timeout connect 9s
  timeout client 9s
  timeout server 9s
frontend clients
  bind 127.0.0.1:8000
  http-request return status 200
C
cat >"$place/inside.sh" <<'S'
ip link set lo up
cd "$1"
waits_until() { for _ in {1..100}; do "$@" && return; sleep 0.1; done; return 1; }
answers() { curl -so answer --max-time 1 http://127.0.0.1:8000/; }
queued() { (($(ss -Hltn 'sport = 8000' | awk '{ sum += $2 } END { print sum }') >= $1)); }
reload_while_busy() {
  haproxy -W -db -f haproxy.cfg 2>>log & master=$!
  waits_until answers
  worker=$(pgrep -P "$master")
  kill -STOP "$worker"
  clients=()
  for _ in {1..5}; do curl -so answer --max-time 20 http://127.0.0.1:8000/ & clients+=($!); done
  waits_until queued 5
  kill -USR2 "$master"
  sleep "$1"
  kill -CONT "$worker"
  served=0 reset=0
  for client in "${clients[@]}"; do
    wait "$client" && status=0 || status=$?
    case $status in 0) ((++served)) ;; 56) ((++reset)) ;; esac # CURLE_RECV_ERROR
  done
  echo "busy for $1 s: $served served, $reset reset"
  kill -TERM "$master"
  wait "$master" || true
}
reload_while_busy 0.3
reload_while_busy 3
echo "logged: $(grep -o "Failed to get the sockets .*" log)"
S
seen=$(unshare -Urn bash -e "$place/inside.sh" "$place")
echo "$seen"
[[ $seen == "busy for 0.3 s: 5 served, 0 reset
busy for 3 s: 0 served, 5 reset
logged: Failed to get the sockets from the old process!" ]]
