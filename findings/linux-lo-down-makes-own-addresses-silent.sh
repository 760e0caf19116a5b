#!/bin/bash
# Linux 6.18: while lo is down, the address of another interface that is up swallows what its own host sends to it.
#
# Guess: in a fresh network namespace lo is down, and 127.0.0.1 gives ENETUNREACH at once. An address on a veth device
# that is up is another matter: a server and a client on this host reach each other there, or the client is told
# ENETUNREACH or ENETDOWN as well.
#
# Seen: packets to an own address leave through lo whatever device bears the address. They are dropped there without a
# word: connect(2) waits as for a black hole, sendto(2) reports all bytes sent. The same address works as soon as lo
# is up. So one forgotten "ip link set lo up" looks like a timeout of the server.
#
# Output: lo down: connect 127.0.0.1 ENETUNREACH, connect 10.0.0.1 no answer in 3 s, sendto 10.0.0.1 1 byte, none came
#         lo up: connect 127.0.0.1 0, connect 10.0.0.1 0, sendto 10.0.0.1 1 byte, 1 came
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 unshare -Urn sh -c 'ip link add va type veth peer name vb
  ip addr add 10.0.0.1/24 dev va; ip link set va up; ip link set vb up; exec python3 -' <<'P'
import errno, os, select, socket

listener = socket.create_server(("", 4000))
inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
inbox.bind(("", 4000))

def connect(host):
    client = socket.socket()
    client.settimeout(3)
    try:
        client.connect((host, 4000))
        return "0"
    except TimeoutError:
        return "no answer in 3 s"
    except OSError as error:
        return errno.errorcode[error.errno]

def cast(host):
    sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, 4000))
    came = len(select.select([inbox], [], [], 1)[0])
    return f"{sent} byte, {came or 'none'} came"

for state in ("down", "up"):
    assert os.system("ip link set lo " + state) == 0
    print(f"lo {state}: connect 127.0.0.1 {connect('127.0.0.1')}, connect 10.0.0.1 {connect('10.0.0.1')},",
          f"sendto 10.0.0.1 {cast('10.0.0.1')}")
P
)
echo "$seen"
[[ $seen == "lo down: connect 127.0.0.1 ENETUNREACH, connect 10.0.0.1 no answer in 3 s, sendto 10.0.0.1 1 byte, none came
lo up: connect 127.0.0.1 0, connect 10.0.0.1 0, sendto 10.0.0.1 1 byte, 1 came" ]]
