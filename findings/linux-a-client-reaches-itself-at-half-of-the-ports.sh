#!/bin/bash
# Linux 6.18: a client that connects again and again to a port of its own machine on which nobody listens.
#
# Guess: the kernel may choose any free port of net.ipv4.ip_local_port_range for the client. So now and then, at any port
# of that range, the client gets the port that it calls, and is connected with itself (a simultaneous open), which takes
# the port from the server that should start there.
#
# Seen: only at ports of the parity of the range's first one. The kernel takes the other ones only when those are used
# up. With the default range, 32768 to 60999, a service at an even port can be taken by its own impatient client, and
# one at an odd port cannot.
#
# Output: even ports: 10 of 10 reached themselves
#         odd ports: 0 of 10
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat >"$place/self.py" <<'P'
import os, socket, struct
assert os.system("ip link set lo up") == 0
open("/proc/sys/net/ipv4/ip_local_port_range", "w").write("40000 40019")
def reaches_itself(port):
    for _ in range(400):
        with socket.socket() as client:
            try:
                client.connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                continue
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no TIME_WAIT
            return client.getsockname() == client.getpeername()
    return False
reached = {port: reaches_itself(port) for port in range(40000, 40020)}
print(f"even ports: {sum(reached[port] for port in range(40000, 40020, 2))} of 10 reached themselves")
print(f"odd ports: {sum(reached[port] for port in range(40001, 40020, 2))} of 10")
P
seen=$(timeout 60 unshare -Urn python3 "$place/self.py")
echo "$seen"
[[ $seen == "even ports: 10 of 10 reached themselves
odd ports: 0 of 10" ]]
