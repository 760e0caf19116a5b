#!/bin/bash
# lighttpd 1.4.69 (Debian 12, lighttpd 1.4.69-1): what becomes of a CGI program at work whose client leaves?
#
# Guess: it works to its end: that a client has left is noticed when there is something to write to it.
#
# Seen: an RST ends it at once, by SIGTERM, in the midst of its work. A FIN does not. So the way in which clients leave
# decides whether a request is carried out, in part or whole: a client that closes with unread data in its buffer sends
# an RST, too.
#
# Output: FIN: worked to its end
#         RST: SIGTERM within a second
#         closed with unread data: SIGTERM within a second
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download lighttpd=1.4.69-1 >/dev/null 2>&1
dpkg-deb -x lighttpd_*.deb root
mkdir files
cat >files/work.sh <<'S'
trap 'echo SIGTERM >>"$QUERY_STRING"; exit 1' TERM
printf 'Content-Type: text/plain\r\n\r\nbegun\n'
echo begun >>"$QUERY_STRING"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.1; done
echo end >>"$QUERY_STRING"
S
cat >lighttpd.conf <<C
server.document-root = "$place/files"
server.bind = "127.0.0.1"
server.port = 8080
server.modules = ("mod_cgi")
server.stream-response-body = 2
cgi.assign = (".sh" => "/bin/sh")
C
cat >client.py <<'P'
import os, socket, struct, sys, time

def done(name):
    return open(name).read().split() if os.path.exists(name) else []

def wait_for(name, count, seconds):
    ends = time.monotonic() + seconds
    while len(done(name)) < count and time.monotonic() < ends:
        time.sleep(0.01)
    return done(name)

def leave(how):
    name = os.path.join(sys.argv[1], how)
    client = socket.create_connection(("127.0.0.1", 8080), 5)
    client.sendall(f"GET /work.sh?{name} HTTP/1.0\r\n\r\n".encode())
    assert wait_for(name, 1, 5) == ["begun"]
    if how == "RST":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how != "unread":
        while b"begun" not in client.recv(1000):
            pass
    else:
        time.sleep(0.3) # the beginning of the answer has come
    client.close()
    began = time.monotonic()
    return wait_for(name, 2, 10)[1:], time.monotonic() - began

words, _ = leave("FIN")
assert words == ["end"], words
print("FIN: worked to its end", flush=True)
for how, told in ("RST", "RST"), ("unread", "closed with unread data"):
    words, took = leave(how)
    assert words == ["SIGTERM"] and took < 1, (words, took)
    print(f"{told}: SIGTERM within a second", flush=True)
P
cat >inside.sh <<'S'
ip link set lo up
root/usr/sbin/lighttpd -D -m root/usr/lib/lighttpd -f lighttpd.conf 2>/dev/null & server=$!
trap 'kill $server; wait $server 2>/dev/null' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8080 && break; sleep 0.1; done
python3 client.py "$PWD"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "FIN: worked to its end
RST: SIGTERM within a second
closed with unread data: SIGTERM within a second" ]]
