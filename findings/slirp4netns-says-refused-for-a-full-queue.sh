#!/bin/bash
# slirp4netns 1.2.0 with libslirp 4.7.0 (Debian 12, slirp4netns 1.2.0-1, libslirp0 4.7.0-1): a full queue is "refused".
#
# Guess: slirp4netns is a forwarder in user space, so connect(2) of its client succeeds at once, whatever is behind it;
# or else it fails as the connect that slirp4netns makes: with ETIMEDOUT for a full listen queue, when tcp_syn_retries
# is over.
#
# Seen: it keeps the client's SYN until its own connect has succeeded. For a closed port the client gets ECONNREFUSED at
# once. For a full queue the client gets ECONNREFUSED, too, but after about 76 s, before the kernel gives up.
#
# Output: closed port: ECONNREFUSED after 0 s
#         full queue: ECONNREFUSED after over 70 s
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download slirp4netns=1.2.0-1 libslirp0=4.7.0-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >full.py <<'P'
import socket, time
listener = socket.create_server(("10.9.9.1", 8000), backlog=0)
filler = socket.create_connection(("10.9.9.1", 8000))
print("full", flush=True)
time.sleep(120)
P
cat >client.py <<'P'
import errno, socket, time
for name, port in ("closed port", 8001), ("full queue", 8000):
    began = time.monotonic()
    try:
        socket.create_connection(("10.9.9.1", port), 100)
        said = "success"
    except OSError as trouble:
        said = errno.errorcode.get(trouble.errno, str(trouble))
    took = time.monotonic() - began
    print(f"{name}: {said} after {'over 70' if took > 70 else round(took)} s", flush=True)
P
cat >inside.sh <<'S'
ip link set lo up
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip address add 10.9.9.1/24 dev d0
python3 full.py >full & server=$!
unshare --user --map-root-user --net sleep 200 & network=$!
trap 'kill $server $network $forwarder 2>/dev/null' EXIT
for _ in $(seq 100); do [[ -s full && $(readlink /proc/$network/ns/net) != $(readlink /proc/$$/ns/net) ]] && break; sleep 0.1; done
root/usr/bin/slirp4netns --configure --userns-path=/proc/$network/ns/user --ready-fd=3 $network tap0 3>ready >log 2>&1 &
forwarder=$!
for _ in $(seq 100); do [[ -s ready ]] && break; sleep 0.1; done
nsenter --preserve-credentials --user --net --target $network python3 client.py
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "closed port: ECONNREFUSED after 0 s
full queue: ECONNREFUSED after over 70 s" ]]
