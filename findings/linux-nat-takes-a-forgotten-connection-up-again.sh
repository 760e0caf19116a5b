#!/bin/bash
# Linux 6.18.44 as a NAT (masquerade; Debian 12, nftables 1.0.6-2+deb12u2): what becomes of a connection that has been
# idle for longer than nf_conntrack_tcp_timeout_established, if the client behind the NAT sends next?
#
# Guess: it is dead. The entry is gone, so that the segment is dropped, or leaves from a new port, and the server resets.
#
# Seen: it goes on as if nothing had been. The NAT makes an entry from a segment in the midst of a connection
# (nf_conntrack_tcp_loose is 1 by default), and keeps the client's port, so that the server sees the same peer. With
# nf_conntrack_tcp_loose = 0 the segment is not dropped either: the NAT sends it on with the client's own address, which
# the server's network does not know. Only what the server sends first finds nobody.
#
# Output: loose 1: the words came, from the same peer
#         loose 0: nothing came; segments left the NAT from the client's own address
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
for package in nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2; do apt-get -q download "$package" >/dev/null 2>&1; done
for file in ./*.deb; do dpkg-deb -x "$file" root; done

cat >server.py <<'P'
import socket, sys
listener = socket.create_server(("192.0.2.2", 7300))
print("ready", file=open("ready", "w"), flush=True)
connection, peer = listener.accept()
connection.settimeout(10)
assert connection.recv(100) == b"hello"
connection.settimeout(7)
try:
    print("came" if connection.recv(100) == b"words" else "other", *peer)
except TimeoutError:
    print("nothing")
P
cat >client.py <<'P'
import socket, time
client = socket.create_connection(("192.0.2.2", 7300), 5)
print(client.getsockname()[1])
client.sendall(b"hello")
time.sleep(4)
client.sendall(b"words")
time.sleep(2)
P
cat >watch.py <<'P'
import socket, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("outside", 0))
tap.settimeout(0.2)
print("ready", file=open("watching", "w"), flush=True)
ends, sources = time.monotonic() + 9, set()
while time.monotonic() < ends:
    try:
        frame, where = tap.recvfrom(2000)
    except TimeoutError:
        continue
    if where[2] == socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == 6:
        sources.add(socket.inet_ntoa(frame[26:30]))
print(*sorted(sources))
P
cat >inside.sh <<'S'
loose=$1
unshare -n sleep 60 & client=$!
unshare -n sleep 60 & server=$!
trap 'kill $client $server' EXIT
for pid in $client $server; do
  until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
done
in_client() { nsenter -t $client -n "$@"; }
in_server() { nsenter -t $server -n "$@"; }
ip link add inside type veth peer name uplink netns $client
ip link add outside type veth peer name uplink netns $server
ip address add 10.0.0.1/24 dev inside
ip address add 192.0.2.1/24 dev outside
ip link set inside up
ip link set outside up
in_client ip address add 10.0.0.2/24 dev uplink
in_server ip address add 192.0.2.2/24 dev uplink
in_client ip link set uplink up
in_server ip link set uplink up
in_client ip route add default via 10.0.0.1
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
root/usr/sbin/nft -f - <<'N'
table ip nat {
  chain leave {
    type nat hook postrouting priority srcnat
    oifname "outside" masquerade
  }
}
N
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 2 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established
echo "$loose" >/proc/sys/net/netfilter/nf_conntrack_tcp_loose
rm -f ready watching
in_server python3 server.py >heard & listening=$!
python3 watch.py >sources & watching=$!
until [ -e ready ] && [ -e watching ]; do sleep 0.05; done
in_client python3 client.py >port
wait $listening $watching
S
seen=
for loose in 1 0; do
  unshare -Urn bash -e inside.sh $loose
  case "$loose $(cat heard) $(cat sources)" in
    "1 came 192.0.2.1 $(cat port) 192.0.2.1") line="loose 1: the words came, from the same peer" ;;
    "0 nothing 10.0.0.2 192.0.2.1") line="loose 0: nothing came; segments left the NAT from the client's own address" ;;
    *) line="loose $loose: $(cat heard); from $(cat sources)" ;;
  esac
  echo "$line"
  seen+=$line$'\n'
done
[[ $seen == "loose 1: the words came, from the same peer
loose 0: nothing came; segments left the NAT from the client's own address
" ]]
