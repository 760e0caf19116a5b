#!/bin/bash
# Linux 6.18: after a refused connect(2), getsockname(2) gives the address 0.0.0.0 with the port that the SYN had.
#
# Guess: a connect that failed leaves the socket either with the whole name that the SYN bore (127.0.0.1 and a port), for
# a log line, or unbound as before (0.0.0.0 and 0), since the kernel chose both parts in the same call. A socket that
# was bound tries again from the address and port that getsockname named after bind(2).
#
# Seen: the address is taken back, the port still shows. The next connect on the socket leaves from another port, also if
# bind(2) had found the port (bind to port 0): a port that was written down, or opened in a firewall, is wrong from the
# second try on. Only a port that bind was told by number stays.
#
# Output: not bound: then 0.0.0.0 and a port, next from 127.0.0.1 and another port
#         bound to 127.0.0.2:0: then 127.0.0.2 and a port, next from 127.0.0.2 and another port
#         bound to 127.0.0.2:4001: then 127.0.0.2 and a port, next from 127.0.0.2 and the same port
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import errno, socket

server = socket.create_server(("127.0.0.1", 4000))

def attempt(name, bind=None):
    client = socket.socket()
    if bind:
        client.bind(bind)
    assert client.connect_ex(("127.0.0.1", 1)) == errno.ECONNREFUSED
    host, port = client.getsockname()
    client.connect(("127.0.0.1", 4000))
    next_host, next_port = client.getsockname()
    print(f"{name}: then {host} and {'a' if port else 'no'} port,",
          f"next from {next_host} and {'the same' if next_port == port else 'another'} port")

attempt("not bound")
attempt("bound to 127.0.0.2:0", ("127.0.0.2", 0))
attempt("bound to 127.0.0.2:4001", ("127.0.0.2", 4001))
P
)
echo "$seen"
[[ $seen == "not bound: then 0.0.0.0 and a port, next from 127.0.0.1 and another port
bound to 127.0.0.2:0: then 127.0.0.2 and a port, next from 127.0.0.2 and another port
bound to 127.0.0.2:4001: then 127.0.0.2 and a port, next from 127.0.0.2 and the same port" ]]
