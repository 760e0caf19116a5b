#!/bin/bash
# Linux 6.18: listen(2) again after shutdown(SHUT_RD) gives a TCP listener another port, if the kernel chose the first.
#
# Guess: shutdown(SHUT_RD) stops a TCP listener, a second listen(2) starts it again, and the socket stays bound to its
# address: getsockname(2) names the same port before and after. A server can pause its listener in this way.
#
# Seen: a socket bound to port 0 listens on a new random port after the pause. Clients that know the old port are
# refused, although both calls succeeded. shutdown(2) takes the listener to the state CLOSE, which gives a port of
# the kernel's choice back; listen(2) then binds again. A port that bind(2) named is kept.
#
# Output: bound to port 0: another port, the old one refuses
#         bound to 4000: the same port, it connects
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import socket

def pause(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    before = listener.getsockname()
    listener.shutdown(socket.SHUT_RD)
    listener.listen(5)
    moved = listener.getsockname() != before
    refused = socket.socket().connect_ex(before) != 0
    return moved, refused

# The kernel could choose the same port twice by chance: one in three tries is enough.
chosen = [pause(0) for _ in range(3)]
print("bound to port 0:", "another port, the old one refuses" if (True, True) in chosen else chosen)
named = pause(4000)
print("bound to 4000:", "the same port, it connects" if named == (False, False) else named)
P
)
echo "$seen"
[[ $seen == "bound to port 0: another port, the old one refuses
bound to 4000: the same port, it connects" ]]
