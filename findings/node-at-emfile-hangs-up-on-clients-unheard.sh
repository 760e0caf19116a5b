#!/bin/bash
# Node.js 20.18.0 (npm package node): a server without free descriptors accepts clients, hangs up, and tells nobody.
#
# Guess: when accept(2) says EMFILE, new clients stay in the listen queue until a descriptor is free (Linux does not
# touch the queue), and the server emits 'error'; or the process ends.
#
# Seen: libuv keeps a spare descriptor: it closes it, accepts the client with it, closes the client and opens the spare
# again, until the queue is empty. Every client sees its connect succeed and then a FIN or an RST. The server emits
# no event at all: no 'error', no 'connection', no 'drop' (which server.maxConnections gives). A server in the same
# state that merely waits would have served them a second later.
#
# Output: server: listening, full, free, event connection
#         clients while full: closed, closed, closed
#         client when free: HTTP/1.1 200 OK
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm install --silent --no-audit --no-fund --cache "$place/npm" --prefix "$place" node@20.18.0 >/dev/null
cat >server.js <<'J'
const fs = require('fs'), http = require('http'), held = [];
const server = http.createServer((request, response) => response.end('done'));
for (const name of ['error', 'connection', 'drop', 'clientError', 'tlsClientError'])
  server.on(name, () => fs.writeSync(1, 'event ' + name + '\n'));
function fill() {
  try { for (;;) held.push(fs.openSync('/dev/null')); }
  catch (error) { fs.writeSync(1, error.code === 'EMFILE' ? 'full\n' : error.code + '\n'); }
}
process.on('SIGUSR2', () => { while (held.length) fs.closeSync(held.pop()); fs.writeSync(1, 'free\n'); });
server.listen(8000, '127.0.0.1', () => { fs.writeSync(1, 'listening\n'); fill(); });
setTimeout(() => process.exit(1), 60000);
J
cat >client.py <<'P'
import socket, sys
client = socket.create_connection(("127.0.0.1", 8000), 5)
try:
    client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
    print(client.recv(1000).decode().split("\r\n")[0] or "closed")
except (ConnectionResetError, BrokenPipeError):
    print("closed")
except TimeoutError:
    print("waits")
P
cat >inside.sh <<'S'
ip link set lo up
(ulimit -n 64; exec node_modules/node/bin/node server.js >server.txt) & server=$!
trap 'kill $server 2>/dev/null' EXIT
waits_for() { for _ in $(seq 100); do grep -q "$1" server.txt && return; sleep 0.1; done; return 1; }
waits_for full
clients=$(for _ in 1 2 3; do python3 client.py; done | paste -sd, | sed 's/,/, /g')
kill -USR2 $server
waits_for free
free=$(python3 client.py)
echo "server: $(paste -sd, server.txt | sed 's/,/, /g')"
echo "clients while full: $clients"
echo "client when free: $free"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "server: listening, full, free, event connection
clients while full: closed, closed, closed
client when free: HTTP/1.1 200 OK" ]]
