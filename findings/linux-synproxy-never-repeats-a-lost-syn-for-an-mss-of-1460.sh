#!/bin/bash
# Linux 6.18.44's SYNPROXY (Debian 12, nftables 1.0.6-2+deb12u2): what if the SYN that the proxy sends to the server is
# lost, here by a queue that is full for a second?
#
# Guess: it comes again, from a timer of the proxy's, or whenever the client probes its closed window, as a comment in the
# kernel has it. The client is served after a second or two.
#
# Seen: that depends on the client's MTU. With 1400 the SYN comes again with each probe. With 1500 the proxy drops every
# probe, and the connected client is never served. A probe has the sequence number before the one that the cookie was made
# for, so that it is taken for a cookie with the next larger MSS of a list of four. For 1460 there is none.
#
# Output: MTU 1400: served, several SYNs
#         MTU 1500: connected, not served, 1 SYN
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
for package in nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2; do apt-get -q download "$package" >/dev/null 2>&1; done
for file in ./*.deb; do dpkg-deb -x "$file" root; done

cat >server.py <<'P'
import socket, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("192.0.2.2", 7300))
listener.listen(0)
filler = socket.create_connection(("192.0.2.2", 7300), 5)
print("ready", file=open("ready", "w"), flush=True)
time.sleep(1)
listener.settimeout(7)
try:
    while True:
        connection, peer = listener.accept()
        if peer[0] == "10.0.0.2":
            connection.sendall(connection.recv(100))
except TimeoutError:
    pass
P
cat >client.py <<'P'
import socket
client = socket.create_connection(("192.0.2.2", 7300), 0.5)
client.settimeout(6)
client.sendall(b"words")
try:
    print("served" if client.recv(100) == b"words" else "other")
except TimeoutError:
    print("not served")
P
cat >watch.py <<'P'
import socket, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("outside", 0))
tap.settimeout(0.2)
print("ready", file=open("watching", "w"), flush=True)
ends, syns = time.monotonic() + 8, 0
while time.monotonic() < ends:
    try:
        frame, where = tap.recvfrom(2000)
    except TimeoutError:
        continue
    if where[2] == socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[47] == 2:
        syns += 1
print(syns)
P
cat >inside.sh <<'S'
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
in_client ip link set uplink mtu $1 up
in_server ip link set uplink up
in_server ip link set lo up
in_client ip route add default via 10.0.0.1
in_server ip route add default via 192.0.2.1
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
root/usr/sbin/nft -f - <<'N'
table ip proxy {
  chain arrive {
    type filter hook prerouting priority raw
    tcp dport 7300 tcp flags & (fin | syn | rst | ack) == syn notrack
  }
  chain pass {
    type filter hook forward priority filter
    tcp dport 7300 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
    ct state invalid drop
  }
}
N
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose
rm -f ready watching
in_server python3 server.py & serving=$!
python3 watch.py >syns & watching=$!
until [ -e ready ] && [ -e watching ]; do sleep 0.05; done
in_client python3 client.py >heard
wait $serving $watching
S
seen=
for mtu in 1400 1500; do
  unshare -Urn bash -e inside.sh $mtu
  syns=$(cat syns)
  case "$(cat heard), $((syns > 1 ? 2 : syns))" in
    "served, 2") line="MTU $mtu: served, several SYNs" ;;
    "not served, 1") line="MTU $mtu: connected, not served, 1 SYN" ;;
    *) line="MTU $mtu: $(cat heard), $syns SYNs" ;;
  esac
  echo "$line"
  seen+=$line$'\n'
done
[[ $seen == "MTU 1400: served, several SYNs
MTU 1500: connected, not served, 1 SYN
" ]]
