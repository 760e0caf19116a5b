#!/bin/bash
# Linux 6.18: poll(2) calls a Unix stream socket full that takes more.
#
# Guess: POLLOUT comes as soon as a send would take something, as with a pipe: when the reader of a full socket has taken
# one piece, the writer that waits for POLLOUT sends the next.
#
# Seen: a send succeeds as soon as there is room for its piece. POLLOUT asks for more: at most a quarter of the send
# buffer may be in use (net/unix/af_unix.c, unix_writable). So a writer that polls stands still where one that only sends
# goes on, and a reader that takes a little now and then does not wake it for a long time. A missing POLLOUT does not say
# that nobody reads; a falling SIOCOUTQ says that somebody does.
#
# Output: full: 42 pieces of 4096, POLLOUT False, send EAGAIN
#         one piece taken: POLLOUT False, send 4096
#         POLLOUT when 10 pieces are left
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat >"$script" <<'P'
import select, socket
writer, reader = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100000)  # the kernel doubles it
writer.setblocking(False)
poll = select.poll()
poll.register(writer, select.POLLOUT)

def send():
    try:
        return writer.send(b"x" * 4096)
    except BlockingIOError:
        return "EAGAIN"

count = 0
while send() == 4096:
    count += 1
print(f"full: {count} pieces of 4096, POLLOUT {bool(poll.poll(0))}, send {send()}")
reader.recv(4096)
print(f"one piece taken: POLLOUT {bool(poll.poll(0))}, send {send()}")
while not poll.poll(0):
    reader.recv(4096)
    count -= 1
print(f"POLLOUT when {count} pieces are left")
P
seen=$(timeout 60 python3 "$script")
echo "$seen"
[[ $seen == "full: 42 pieces of 4096, POLLOUT False, send EAGAIN
one piece taken: POLLOUT False, send 4096
POLLOUT when 10 pieces are left" ]]
