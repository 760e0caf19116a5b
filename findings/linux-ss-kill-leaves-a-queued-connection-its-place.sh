#!/bin/bash
# Linux 6.18, iproute2 6.1.0 (Debian 12, iproute2 6.1.0-3): "ss -K" on a connection that waits to be accepted.
#
# Guess: "ss -K state close-wait" is the remedy for a listen queue full of clients that have left: it destroys the
# sockets, so the queue has room again, and the server is spared their requests.
#
# Seen: the connection is in no list any more, but its entry stays in the queue. Recv-Q of the listener still counts it,
# a next client finds the queue full, and accept(2) gives a connection from which the server reads the whole request and
# then an end of file, as from any client that left. Only what comes after the request would have told: a look at the
# socket's error before reading.
#
# Output: client left: Recv-Q 1, rows 1
#         destroyed: Recv-Q 1, rows 0
#         next client: no place
#         accepted: order, then end of file
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libmnl0=1.0.4-3 libelf1=0.188-2.1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >queue.py <<'P'
import os, socket, subprocess
def ss(*words):
    return subprocess.run(["root/bin/ss", "-tnH", *words], capture_output=True, text=True, check=True).stdout
def look():
    return f"Recv-Q {ss('-l').split()[1]}, rows {len(ss('sport', '=', ':4000').splitlines())}"
assert os.system("ip link set lo up") == 0
listener = socket.create_server(("127.0.0.1", 4000), backlog=0)
client = socket.create_connection(("127.0.0.1", 4000))
client.send(b"order")
client.close()
print("client left:", look())
ss("-K", "state", "close-wait", "sport", "=", ":4000")
print("destroyed:", look())
following = socket.socket()
following.settimeout(0.5)
try:
    following.connect(("127.0.0.1", 4000))
    print("next client: connected")
except TimeoutError:
    print("next client: no place")
server, _ = listener.accept()
request, rest = server.recv(100), server.recv(100)
print(f"accepted: {request.decode()}, then {'end of file' if rest == b'' else rest}")
P
seen=$(timeout 60 unshare -Urn python3 queue.py)
echo "$seen"
[[ $seen == "client left: Recv-Q 1, rows 1
destroyed: Recv-Q 1, rows 0
next client: no place
accepted: order, then end of file" ]]
