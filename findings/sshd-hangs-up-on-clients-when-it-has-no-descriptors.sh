#!/bin/bash
# sshd 9.2p1 (Debian 12, openssh-server 1:9.2p1-2+deb12u10): without free descriptors it accepts clients, and hangs up.
#
# Guess: accept(2) fails with EMFILE, and clients wait in the listening queue until a session ends.
#
# Seen: one descriptor is free for accept(2), and none for the socket pair to the process that would serve the client.
# So sshd closes the client at once, which sees a connect that succeeds, and then a FIN before the first byte. A client
# that comes when a session has ended is served.
#
# Output: with some clients the next is closed
#         and two more: closed, closed
#         when they have left: served
#         logged: reexec socketpair: Too many open files
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
ssh-keygen -q -t ed25519 -N "" -f "$place/key"
cat >"$place/config" <<C
Port 8000
ListenAddress 127.0.0.1
HostKey $place/key
PidFile none
MaxStartups 1000
StrictModes no
UsePAM no
C
cat >"$place/client.py" <<'P'
import socket, time
def client():
    connection = socket.create_connection(("127.0.0.1", 8000), 5)
    connection.settimeout(2)
    try:
        text = connection.recv(100)
    except ConnectionResetError:
        text = b""
    except TimeoutError:
        return "waits", connection
    return "served" if text.startswith(b"SSH-2.0") else "closed", connection
held, seen = [], "served"
while seen == "served" and len(held) < 100:
    seen, connection = client()
    if seen == "served": held.append(connection)
print("with", "some" if 0 < len(held) < 100 else len(held), "clients the next is", seen)
print("and two more:", ", ".join(client()[0] for _ in range(2)))
for connection in held: connection.close()
for _ in range(50):
    seen, _ = client()
    if seen == "served": break
    time.sleep(0.1)
print("when they have left:", seen)
P
cat >"$place/inside.sh" <<'S'
ip link set lo up
cd "$1"
(ulimit -n 16; exec /usr/sbin/sshd -D -e -f "$1/config" 2>log) & server=$!
for _ in {1..100}; do grep -q "Server listening" log && break; sleep 0.1; done
python3 client.py
echo "logged: $(grep -o "reexec socketpair: .*" log | tr -d "\r" | sort -u)"
kill "$server"
S
# As user 1000: as root, sshd would want its directory and its user.
seen=$(unshare -Un --map-user=1000 --keep-caps bash -e "$place/inside.sh" "$place")
echo "$seen"
[[ $seen == "with some clients the next is closed
and two more: closed, closed
when they have left: served
logged: reexec socketpair: Too many open files" ]]
