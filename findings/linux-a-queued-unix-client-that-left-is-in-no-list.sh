#!/bin/bash
# Linux 6.18, iproute2 6.1.0 (Debian 12, iproute2 6.1.0-3): a connection that waits in a Unix listener's queue is no row.
#
# Guess: "ss -xa" shows a queued connection as it does with TCP: a row of the client's socket and one of the server's,
# each with the other's number as its peer. When the client has left, the server's row stays until somebody accepts it.
#
# Seen: the socket that waits in the queue has no inode before accept(2), and unix_diag lists only sockets that have one.
# So there is the client's row alone, without a peer, and when the client closes there is none. The listener's Recv-Q
# still counts the connection, and accept gives it, with all that the client sent. Who looks for the ghosts of a
# Unix listener finds a number, and nobody behind it.
#
# Output: connected: Recv-Q 1, rows 1, peer of the client 0
#         client left: Recv-Q 1, rows 0
#         accepted: 5 bytes unread, rows 1, then hello
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libmnl0=1.0.4-3 libelf1=0.188-2.1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >look.py <<'P'
import socket, subprocess
def look():
    words = ["root/bin/ss", "--unix", "--all", "--no-header"]
    rows = [line.split() for line in subprocess.run(words, capture_output=True, text=True).stdout.splitlines()]
    return [row for row in rows if row[1] == "LISTEN"][0], [row for row in rows if row[1] != "LISTEN"]
listener = socket.socket(socket.AF_UNIX)
listener.bind("server")
listener.listen(5)
client = socket.socket(socket.AF_UNIX)
client.connect("server")
client.send(b"hello")
queue, rows = look()
print(f"connected: Recv-Q {queue[2]}, rows {len(rows)}, peer of the client {rows[0][-1]}")
client.close()
queue, rows = look()
print(f"client left: Recv-Q {queue[2]}, rows {len(rows)}")
server, _ = listener.accept()
queue, rows = look()
print(f"accepted: {rows[0][2]} bytes unread, rows {len(rows)}, then {server.recv(10).decode()}")
P
# Unix sockets are listed by network namespace.
seen=$(timeout 60 unshare -Urn python3 look.py)
echo "$seen"
[[ $seen == "connected: Recv-Q 1, rows 1, peer of the client 0
client left: Recv-Q 1, rows 0
accepted: 5 bytes unread, rows 1, then hello" ]]
