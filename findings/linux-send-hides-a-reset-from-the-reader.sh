#!/bin/bash
# Linux 6.18: after an RST, a failed send(2) or a look at SO_ERROR makes half an answer read like a whole one.
#
# Guess: a connection that was reset stays reset. Once the buffered bytes are read, recv(2) says ECONNRESET, no matter
# which other calls were made meanwhile; 0 (end of file) means that the peer closed in order.
#
# Seen: the error is told once, to whichever call asks first. A thread that writes, or a library that reads SO_ERROR
# after poll(2), takes it away. The reader then gets the bytes and a clean end: a truncated answer without a
# Content-Length passes for complete. (The bytes themselves survive the RST, which many texts deny.)
#
# Output: recv alone: b'half an ans', ECONNRESET, b''
#         send first: ECONNRESET, b'half an ans', b'', b''
#         SO_ERROR first: ECONNRESET, b'half an ans', b'', b''
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import errno, select, socket, struct

def told(call):
    try:
        return repr(call())
    except OSError as error:
        return errno.errorcode[error.errno]

def reset_client():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    server.sendall(b"half an ans")
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    waiter = select.poll()
    waiter.register(client, 0)  # POLLERR or POLLHUP: the RST has come
    assert waiter.poll(5000)
    client.settimeout(5)
    return client

def receive(client):
    return [told(lambda: client.recv(100)) for _ in range(3)]

print("recv alone:", ", ".join(receive(reset_client())))
client = reset_client()
print("send first:", ", ".join([told(lambda: client.send(b"x"))] + receive(client)))
client = reset_client()
word = errno.errorcode[client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
print("SO_ERROR first:", ", ".join([word] + receive(client)))
P
)
echo "$seen"
[[ $seen == "recv alone: b'half an ans', ECONNRESET, b''
send first: ECONNRESET, b'half an ans', b'', b''
SO_ERROR first: ECONNRESET, b'half an ans', b'', b''" ]]
