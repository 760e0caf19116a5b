#!/bin/bash
# Python 3.11.2 (Debian 12, python3.11 3.11.2-6+deb12u6): a ThreadingHTTPServer without a free descriptor takes a whole
# processor, and says nothing.
#
# Guess: accept fails with EMFILE, and the server raises, logs, or waits a moment, as asyncio does (ACCEPT_RETRY_DELAY).
#
# Seen: socketserver catches OSError around accept and returns to its selector, which reports the listening socket
# again at once, since the connection stays in the queue (socketserver.py, _handle_request_noblock). There is no line in
# any log. The client is connected for the kernel, and hears nothing.
#
# Output: accepts that failed in half a second: more than 1000
#         the client: connected, hears nothing
#         printed: nothing
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >server.py <<'P'
import http.server, os, resource, socket, sys, threading

class Server(http.server.ThreadingHTTPServer):
    failed = 0
    def get_request(self):
        try:
            return super().get_request()
        except OSError:
            Server.failed += 1
            raise

server = Server(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = socket.socket()
highest = socket.socket()
resource.setrlimit(resource.RLIMIT_NOFILE, (highest.fileno() + 1, highest.fileno() + 1)) # all below are in use
client.settimeout(0.5)
client.connect(server.server_address)
client.sendall(b"GET / HTTP/1.0\r\n\r\n")
try:
    heard = client.recv(100)
except TimeoutError:
    heard = "nothing"
print("accepts that failed in half a second:", "more than 1000" if Server.failed > 1000 else Server.failed)
print("the client: connected, hears", heard, flush=True)
os._exit(0) # the thread would go on
P
seen=$(/usr/bin/python3 server.py 2>errors)
seen+=$'\nprinted: '$([[ -s errors ]] && cat errors || echo nothing)
echo "$seen"
[[ $seen == "accepts that failed in half a second: more than 1000
the client: connected, hears nothing
printed: nothing" ]]
