#!/bin/bash
# Python 3.11.2 (Debian 12, python3.11 3.11.2-6+deb12u6): http.server carries out a request that its client never finished.
#
# Guess: a client that leaves in the middle of the head of its request has asked for nothing. nginx, Apache and lighttpd
# log 400 or nothing, and Node and gunicorn are silent, too.
#
# Seen: readline(3) returns what there is at the end of the stream, as if it were a line, and the head ends there
# (http/client.py, _read_headers). The handler runs, for every method, with the path as far as it came: a client that
# goes away while it sends "/accounts/1234" has /accounts/12 deleted. Handlers of others that are built on
# BaseHTTPRequestHandler have the same.
#
# Output: DELETE /accounts/1234
#         DELETE /accounts/12
#         GET /accounts/1
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >server.py <<'P'
import http.server, socket, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.command, self.path, flush=True)
        self.send_response(200)
        self.end_headers()
    do_DELETE = do_GET
    def log_message(self, *words):
        pass

def cut_off(text):
    with socket.create_connection(server.server_address) as client:
        client.sendall(text)
    server.handle_request()

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
cut_off(b"DELETE /accounts/1234 HTTP/1.1\r\nHost: bank\r\nIf-Unmodified-Si")
cut_off(b"DELETE /accounts/12 HTTP/1.1") # the line has no end
cut_off(b"GET /accounts/1") # the line has no version: HTTP/0.9
P
seen=$(/usr/bin/python3 server.py 2>/dev/null)
echo "$seen"
[[ $seen == "DELETE /accounts/1234
DELETE /accounts/12
GET /accounts/1" ]]
