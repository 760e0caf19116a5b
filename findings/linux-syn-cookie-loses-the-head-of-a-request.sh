#!/bin/bash
# Linux 6.18: with a SYN cookie, a request whose first write of 1 to 3 bytes was lost begins with its second write.
#
# Guess: TCP delivers all bytes in order or breaks the connection. If the last ACK of a handshake by SYN cookie and the
# first bytes are lost, then the next segment has a wrong sequence number, its cookie does not fit, and the client
# gets an RST, or sends the lost bytes again first.
#
# Seen: one to three lost bytes are never missed. The server's stream begins with the second write ("delete 7" where
# the client wrote "undelete 7"), the lost bytes are acknowledged with the rest, and neither side sees an error. The
# cookie is a sum of the client's sequence number and a table index of 0 to 3 for the MSS: a number that is too high by
# k looks like the right number with an index that is lower by k. Four bytes give an RST.
# A full queue loses both segments in the same way; here a socket filter on the listener drops them, so that the loss
# needs no timing.
#
# Output: 'u' lost: server reads b'delete 7', client reads b'done'
#         'un' lost: server reads b'delete 7', client reads b'done'
#         'und' lost: server reads b'delete 7', client reads b'done'
#         'unde' lost: nobody to accept, client ECONNRESET
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import ctypes, errno, select, socket, struct

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
# A classic BPF program at the TCP header: keep segments with SYN, drop all others.
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in (
    (0x30, 0, 0, 13),      # the flags
    (0x45, 0, 1, 2),       # SYN?
    (0x06, 0, 0, 0xffff),  # keep
    (0x06, 0, 0, 0))))     # drop
with open("/proc/sys/net/ipv4/tcp_syncookies", "w") as setting:
    setting.write("2")     # a cookie for every client

def attempt(head):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 4, ctypes.addressof(program)))
    client = socket.create_connection(listener.getsockname())
    client.settimeout(5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(head)
    listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    client.sendall(b"delete 7")
    if not select.select([listener], [], [], 1)[0]:
        try:
            return f"nobody to accept, client reads {client.recv(100)}"
        except OSError as error:
            return f"nobody to accept, client {errno.errorcode[error.errno]}"
    server, _ = listener.accept()
    server.settimeout(5)
    client.shutdown(socket.SHUT_WR)
    request = b"".join(iter(lambda: server.recv(100), b""))
    server.sendall(b"done")
    return f"server reads {request}, client reads {client.recv(100)}"

for head in (b"u", b"un", b"und", b"unde"):
    try:
        print(f"{head.decode()!r} lost: {attempt(head)}")
    except OSError as error:
        print(f"{head.decode()!r} lost: {error!r}")
P
)
echo "$seen"
[[ $seen == "'u' lost: server reads b'delete 7', client reads b'done'
'un' lost: server reads b'delete 7', client reads b'done'
'und' lost: server reads b'delete 7', client reads b'done'
'unde' lost: nobody to accept, client ECONNRESET" ]]
