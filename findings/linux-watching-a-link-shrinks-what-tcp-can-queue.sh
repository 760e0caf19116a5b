#!/bin/bash
# Linux 6.18: an unread packet socket on the link makes a TCP receiver's buffer hold fewer bytes of small writes.
#
# Guess: a packet socket (what a simple sniffer opens) gets copies. The connections it watches behave as without it, to
# the byte.
#
# Seen: TCP copies a small segment into the last one of the queue only while nobody else holds the segment's data. A
# packet socket keeps clones in its own buffer, read or not, so this fails more often: each segment then pays for a
# buffer of its own, and the receive buffer is full earlier. A client of a server that does not read gets less far
# while somebody measures it.
#
# Output: alone: 88030 bytes queued, 738 segments merged
#         watched: 79078 bytes queued, 605 segments merged      (fewer of both; the numbers depend on the settings)
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import fcntl, socket, struct, sys, termios, time

ETH_P_ALL, SIZE, REST_S = 3, 100, 0.5

def merged():
    lines = open("/proc/self/net/netstat").read().splitlines()
    for names, values in zip(lines[::2], lines[1::2]):
        if "TCPRcvCoalesce" in names:
            return int(values.split()[names.split().index("TCPRcvCoalesce")])

def fill():
    """Writes 100 bytes at a time to a connection that nobody reads, until nothing was taken for REST_S."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.connect(listener.getsockname())
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setblocking(False)
    server, _ = listener.accept()
    before, last = merged(), time.monotonic()
    while time.monotonic() - last < REST_S:
        try:
            client.send(b"x" * SIZE)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    queued = struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, b"\0" * 4))[0]
    return queued, merged() - before

alone = fill()
watcher = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
watched = fill()
watcher.close()
again = fill()
for name, (queued, segments) in (("alone", alone), ("watched", watched), ("alone again", again)):
    print(f"{name}: {queued} bytes queued, {segments} segments merged")
less = [min(a, b) - w for a, b, w in zip(alone, again, watched)]
sys.exit(0 if less[0] > 0.05 * alone[0] and less[1] > 0 else 1)
P
