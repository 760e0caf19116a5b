#!/bin/bash
# Linux 6.18: a client that sends to a server that has closed, by TCP and by MPTCP (what Go's servers listen with).
#
# Guess: MPTCP behaves as TCP does for whoever falls back or has one path: the first send after the peer's close(2) is
# answered by RST, and the second one fails with EPIPE. So "two writes and a pause" finds out a peer that has gone.
#
# Seen: by MPTCP each of five sends succeeds, a second in all, and the peer's kernel acknowledges them: nothing is
# unsent. No process ever reads them. A client that takes an acknowledged write for a delivered one loses its requests
# without an error.
#
# Output: TCP: sent EPIPE EPIPE EPIPE EPIPE
#         MPTCP: sent sent sent sent sent, 0 bytes unacknowledged
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat >"$place/sends.py" <<'P'
import errno, fcntl, os, socket, struct, termios, time
assert os.system("ip link set lo up") == 0
MPTCP = 262
for name, protocol in ("TCP", 0), ("MPTCP", MPTCP):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    client.send(b"first")
    assert server.recv(100) == b"first"
    server.close()
    words = []
    for _ in range(5):
        time.sleep(0.2)
        try:
            client.send(b"again")
            words.append("sent")
        except OSError as error:
            words.append(errno.errorcode[error.errno])
    time.sleep(0.2)
    unacknowledged, = struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, bytes(4)))
    print(f"{name}: {' '.join(words)}" + (f", {unacknowledged} bytes unacknowledged" if protocol else ""))
P
seen=$(timeout 60 unshare -Urn python3 "$place/sends.py")
echo "$seen"
[[ $seen == "TCP: sent EPIPE EPIPE EPIPE EPIPE
MPTCP: sent sent sent sent sent, 0 bytes unacknowledged" ]]
