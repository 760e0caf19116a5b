#!/bin/bash
# Linux 6.18: a Unix listener that was shut down says EAGAIN and success for ever, and never accepts again.
#
# Guess: after shutdown(SHUT_RD) a Unix stream listener behaves as a TCP listener does: accept(2) fails with EINVAL, and
# listen(2) puts it back to work.
#
# Seen: the queue survives, so clients that wait there can still be accepted. Newcomers are refused. On the empty queue
# a non-blocking accept(2) says EAGAIN, the word for "try again", while poll(2) reports the socket readable all the
# time: an event loop spins. listen(2) returns 0 and repairs nothing. Only a blocking accept(2) says EINVAL.
#
# Output: TCP: queue lost, accept EINVAL, listen 0, connect 0
#         Unix: queue kept, accept EAGAIN, readable True, listen 0, connect ECONNREFUSED, blocking accept EINVAL
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import errno, select, socket

def outcome(call):
    try:
        call()
        return "0"
    except OSError as error:
        return errno.errorcode[error.errno]

def connect(family, address):
    client = socket.socket(family)
    client.settimeout(5)
    client.connect(address)
    return client

def stopped(family, address):
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen(5)
    queued = connect(family, address)
    listener.shutdown(socket.SHUT_RD)
    listener.setblocking(False)
    kept = outcome(listener.accept)
    return listener, queued, kept

listener, queued, kept = stopped(socket.AF_INET, ("127.0.0.1", 4000))
print("TCP: queue", "kept" if kept == "0" else "lost", end=", ")
print("accept", outcome(listener.accept), end=", ")
print("listen", outcome(lambda: listener.listen(5)), end=", ")
print("connect", outcome(lambda: connect(socket.AF_INET, ("127.0.0.1", 4000))))

listener, queued, kept = stopped(socket.AF_UNIX, "\0lab")
print("Unix: queue", "kept" if kept == "0" else "lost", end=", ")
print("accept", outcome(listener.accept), end=", ")
print("readable", bool(select.select([listener], [], [], 0)[0]), end=", ")
print("listen", outcome(lambda: listener.listen(5)), end=", ")
print("connect", outcome(lambda: connect(socket.AF_UNIX, "\0lab")), end=", ")
listener.setblocking(True)
print("blocking accept", outcome(listener.accept))
P
)
echo "$seen"
[[ $seen == "TCP: queue lost, accept EINVAL, listen 0, connect 0
Unix: queue kept, accept EAGAIN, readable True, listen 0, connect ECONNREFUSED, blocking accept EINVAL" ]]
