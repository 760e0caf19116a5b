#!/bin/bash
# Node 20.20.2 (its fetch is undici 6.24.1; undici 7.30.2 does the same): giving up a request opens a new connection.
#
# Guess: fetch(url, { signal: AbortSignal.timeout(1000) }) to a server that accepts nobody leaves one connection in the
# server's queue, closed when the signal fires. That is all that the kernel's queue has to hold for it.
#
# Seen: undici closes the aborted request's connection, and its pool at once connects again, with nothing to send. So each
# request that gives up takes two places in the queue of a server that is late already. undici closes the second one a
# few seconds later, which does not take it out of the queue.
#
# Output: aborted: 2 connections, one with a request, one empty
#         not aborted: 1 connections, one with a request, no empty one
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >silent.py <<'P'
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 8000), backlog=50)
print("ready", flush=True)
sys.stdin.readline()  # the client has left, or has waited
listener.setblocking(False)
seen = []
try:
    while True:
        connection = listener.accept()[0]
        connection.setblocking(True)
        seen.append(connection.recv(1000))
except BlockingIOError:
    pass
print(f"{len(seen)} connections, one with a request, {'one empty' if b'' in seen else 'no empty one'}")
P
cat >client.js <<'J'
const options = process.argv[2] === "aborted" ? { signal: AbortSignal.timeout(1000) } : {};
fetch("http://127.0.0.1:8000/", options).catch(() => {});
setTimeout(() => process.exit(), 3000);
J
cat >inside.sh <<'S'
ip link set lo up
for how in aborted "not aborted"; do
  coproc server { timeout 60 python3 silent.py; }
  read -r _ <&"${server[0]}"
  node client.js "$how"
  echo >&"${server[1]}"
  read -r seen <&"${server[0]}"
  echo "$how: $seen"
  wait
done
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "aborted: 2 connections, one with a request, one empty
not aborted: 1 connections, one with a request, no empty one" ]]
