#!/bin/bash
# Mosquitto 2.0.11 (Debian 12, mosquitto 2.0.11-1.2+deb12u2): each client that comes and goes raises max_connections.
#
# Guess: with max_connections 3 the broker lets in three clients at a time, however many it had before.
#
# Seen: each client that goes leaves one place more, as if it were counted twice. After four clients, one after the
# other, seven are let in at a time. It makes no difference whether they said DISCONNECT, closed or reset. So the limit
# holds only for a broker that has just started.
#
# Output: after 0 clients that came and went, at a time: 3
#         after 1 clients that came and went, at a time: 4
#         after 4 clients that came and went, at a time: 7
#         after 4 clients that closed without a word, at a time: 7
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download mosquitto=2.0.11-1.2+deb12u2 libcjson1=1.7.15-1+deb12u4 libdlt2=2.18.8-6 libwrap0=7.6.q-32 \
  >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu):$(echo "$place"/root/lib/*-linux-gnu)
export LD_LIBRARY_PATH
printf 'listener 1883 127.0.0.1\nallow_anonymous true\nmax_connections 3\nlog_type none\nuser root\n' >mosquitto.conf
cat >client.py <<'P'
import socket, struct, sys, time

def connect():
    body = struct.pack(">H4sBBHH", 4, b"MQTT", 4, 2, 0, 0)
    client = socket.create_connection(("127.0.0.1", 1883), 5)
    try:
        client.sendall(bytes([0x10, len(body)]) + body)
        return client, client.recv(4)[:2] == b"\x20\x02"
    except (ConnectionResetError, BrokenPipeError):
        return client, False

count, word = int(sys.argv[1]), sys.argv[2]
for _ in range(count):
    client, is_in = connect()
    assert is_in
    if word == "came and went":
        client.sendall(b"\xe0\0") # DISCONNECT
        assert client.recv(1) == b"" # the broker has closed it
    client.close()
    time.sleep(0.3) # the broker has seen that
all = [connect() for _ in range(12)]
print(f"after {count} clients that {word}, at a time: {sum(is_in for _, is_in in all)}")
P
cat >inside.sh <<'S'
ip link set lo up
try() {
  root/usr/sbin/mosquitto -c mosquitto.conf 2>/dev/null & broker=$!
  for _ in $(seq 100); do ss -Hltn | grep -q :1883 && break; sleep 0.1; done
  python3 client.py "$1" "$2"
  kill $broker
  wait $broker || true
}
try 0 "came and went"
try 1 "came and went"
try 4 "came and went"
try 4 "closed without a word"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "after 0 clients that came and went, at a time: 3
after 1 clients that came and went, at a time: 4
after 4 clients that came and went, at a time: 7
after 4 clients that closed without a word, at a time: 7" ]]
