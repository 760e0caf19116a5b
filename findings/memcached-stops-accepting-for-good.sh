#!/bin/bash
# memcached 1.6.18 (Debian 12, memcached 1.6.18-1+deb12u1) with -o no_maxconns_fast: it can stop accepting for good.
#
# Guess: at its limit memcached stops accepting, and goes on when a client leaves. The limit of its listen queue, which
# it lowers to 0 meanwhile, comes back.
#
# Seen: that is so in nearly all cases. If the last client leaves while memcached finds that it cannot accept the next
# one, it never goes on: it waits for a client to leave, and there is none. A thread says that a place is free before the
# main thread has noted that it waits for one. The client in the queue is connected, and no other can connect. How many
# tries that takes differs: some hundreds here. A run that does not come so far in 20,000 tries fails.
#
# Output: connected clients: none but the one in the queue
#         that one, after 10 s: no answer
#         the listen queue: 1 of 0
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >client.py <<'P'
import socket, subprocess

def connect():
    client = socket.create_connection(("127.0.0.1", 11211), 10)
    client.settimeout(10)
    client.sendall(b"version\r\n")
    return client

def is_answered(client):
    try:
        return client.recv(100) != b""
    except TimeoutError:
        return False

waiting = None
for _ in range(20000):
    first = connect()
    if not is_answered(first):
        waiting = first
        break
    second = connect() # memcached finds that it cannot accept it
    first.close()
    if not is_answered(second):
        waiting = second
        break
    second.close()

queue = subprocess.run(["ss", "-Hltn", "sport = :11211"], capture_output=True, text=True).stdout.split()
print("connected clients:", "none but the one in the queue" if waiting else "no hang")
print("that one, after 10 s:", "no answer" if waiting else "answered")
print("the listen queue:", queue[1], "of", queue[2])
P
cat >inside.sh <<'S'
ip link set lo up
root/usr/bin/memcached -u root -l 127.0.0.1 -U 0 -t 4 -c 24 -o no_maxconns_fast 2>/dev/null & server=$!
trap 'kill -9 $server; wait $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :11211 && break; sleep 0.1; done
python3 client.py
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "connected clients: none but the one in the queue
that one, after 10 s: no answer
the listen queue: 1 of 0" ]]
