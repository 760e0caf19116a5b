#!/bin/bash
# gunicorn 20.1.0 (Debian 12, gunicorn 20.1.0-6+deb12u1) and Node.js 20.20.2: a server that is handed a listening socket
# replaces its backlog.
#
# Guess: the opener of the socket decides how long its queue is (systemd's Backlog=). A server that is handed the socket
# only accepts.
#
# Seen: both call listen(2) on the socket again, which sets its backlog to their own default. uWSGI and Python's
# socketserver leave it alone. So Backlog= of a socket unit is lost on the first two: gunicorn's --backlog decides, or
# the backlog that Node's listen() is given.
#
# Output: gunicorn: 10, then 2048
#         Node: 10, then 511
#         uWSGI: 10, then 10
#         Python: 10, then 10
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
# Opens a socket as a service manager does, descriptor 3, and becomes the server.
cat >hand.py <<'P'
import os, socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(10)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
open(sys.argv[2], "w").close()
sys.stdin.read() # until the limit of the queue is looked at
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[3], sys.argv[3:])
P
cat >app.py <<'P'
def application(environment, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
P
cat >server.py <<'P'
import http.server, socket
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.serve_forever()
P
cat >inside.sh <<'S'
ip link set lo up
limit() { ss -Hltn "sport = $1" | awk '{ print $3 }'; }
port=8000
try() {
  local name=$1 before
  shift
  ((++port))
  mkfifo "go$port"
  python3 hand.py "$port" "ready$port" "$@" <"go$port" >/dev/null 2>"log$port" & server=$!
  exec 9>"go$port"
  for _ in {1..100}; do [[ -e ready$port ]] && break; sleep 0.1; done
  before=$(limit "$port")
  exec 9>&-
  curl -so answer --retry 100 --retry-delay 1 --retry-all-errors --max-time 30 "http://127.0.0.1:$port/"
  echo "$name: $before, then $(limit "$port")"
  pkill -KILL -P "$server" || true
  kill -KILL "$server"
  wait "$server" 2>/dev/null || true
}
try gunicorn gunicorn app:application
try Node node -e 'require("http").createServer((request, response) => response.end("ok")).listen({ fd: 3 })'
try uWSGI uwsgi --http-socket fd://3 --plugin python3 --wsgi-file app.py --die-on-term
try Python python3 server.py
S
seen=$(unshare -Urn --kill-child --pid --fork bash -e inside.sh)
echo "$seen"
[[ $seen == "gunicorn: 10, then 2048
Node: 10, then 511
uWSGI: 10, then 10
Python: 10, then 10" ]]
