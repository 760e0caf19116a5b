#!/bin/bash
# nats 2.29.3 for Node 20: after connect() was rejected by its timeout, the process cannot end.
#
# Guess: connect({ timeout: 1000 }) rejects with TIMEOUT when the server says nothing, and has closed its socket by then:
# the caller has got nothing that it could close.
#
# Seen: the promise is rejected, the connection stays established, and keeps the event loop alive. A script that tries
# once and gives up hangs. A service that tries again leaves an open connection behind each time, which the server's
# kernel cannot tell from a client that waits.
#
# Output: rejected: TIMEOUT
#         the process is still there after 20 s, with 1 connection
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm install --silent --no-audit --no-fund --ignore-scripts --cache "$place/cache" nats@2.29.3 >/dev/null
cat >silent.py <<'P'
import signal, socket
listener = socket.create_server(("127.0.0.1", 8000))
print("ready", flush=True)
signal.alarm(60)
signal.pause()
P
cat >client.js <<'J'
require("nats").connect({ servers: "127.0.0.1:8000", timeout: 1000 })
  .catch((error) => console.log("rejected:", error.code));
J
cat >inside.sh <<'S'
ip link set lo up
coproc server { python3 silent.py; }
trap 'kill $server_PID' EXIT
read -r _ <&"${server[0]}"
node client.js & client=$!
for _ in $(seq 200); do kill -0 $client 2>/dev/null || break; sleep 0.1; done
open=$(ss -Htn state established dst 127.0.0.1:8000 | wc -l)
kill $client 2>/dev/null && echo "the process is still there after 20 s, with $open connection"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "rejected: TIMEOUT
the process is still there after 20 s, with 1 connection" ]]
