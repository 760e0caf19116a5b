#!/bin/bash
# lighttpd 1.4.69 (Debian 12, lighttpd 1.4.69-1): at server.max-connections it takes a second to see that a client left.
#
# Guess: lighttpd is driven by events. When the client that has the last place leaves, the next one in the listen queue
# is accepted at once.
#
# Seen: the queue waits for a second, whoever ends the connection. Without a limit that is reached, a client is accepted
# at once. So a limit of n clients is a rate, too: about n clients a second.
#
# Output: below the limit: at once
#         the server ends the connection: a second
#         the client ends it, kept alive: a second
#         the client ends it in a request: a second
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download lighttpd=1.4.69-1 >/dev/null 2>&1
dpkg-deb -x lighttpd_*.deb root
mkdir files
echo served >files/file
cat >lighttpd.conf <<C
server.document-root = "$place/files"
server.bind = "127.0.0.1"
server.port = 8080
server.max-connections = 1
C
cat >client.py <<'P'
import socket, time

def connect(text):
    client = socket.create_connection(("127.0.0.1", 8080), 5)
    client.sendall(text)
    return client

def wait_of_the_next(text, rest=None):
    first = connect(text)
    if text.endswith(b"\r\n\r\n"):
        assert b"served" in first.recv(1000)
    time.sleep(0.5) # accepted, and read
    second = connect(b"GET /file HTTP/1.0\r\n\r\n")
    time.sleep(0.5) # queued
    began = time.monotonic()
    if rest: # lighttpd closes first
        first.sendall(rest)
        while first.recv(1000):
            pass
    first.close()
    assert b"served" in second.recv(1000)
    took = time.monotonic() - began
    while second.recv(1000):
        pass
    return "at once" if took < 0.3 else "a second" if 0.8 < took < 1.5 else took

HEAD = b"GET /file HTTP/1.%d\r\nHost: a\r\n"
began = time.monotonic()
first = connect(HEAD % 0 + b"\r\n")
while first.recv(1000):
    pass
first.close()
print("below the limit:", "at once" if time.monotonic() - began < 0.3 else time.monotonic() - began)
time.sleep(2) # lighttpd has forgotten that client
print("the server ends the connection:", wait_of_the_next(HEAD % 0, b"\r\n"))
print("the client ends it, kept alive:", wait_of_the_next(HEAD % 1 + b"\r\n"))
print("the client ends it in a request:", wait_of_the_next(HEAD % 1))
P
cat >inside.sh <<'S'
ip link set lo up
root/usr/sbin/lighttpd -D -m root/usr/lib/lighttpd -f lighttpd.conf 2>/dev/null & server=$!
trap 'kill $server; wait $server 2>/dev/null' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8080 && break; sleep 0.1; done
python3 client.py
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "below the limit: at once
the server ends the connection: a second
the client ends it, kept alive: a second
the client ends it in a request: a second" ]]
