#!/bin/bash
# Linux 6.18.44, its SYNPROXY before its own TCP (Debian 12, nftables 1.0.6-2+deb12u2): when does a client hear from a
# server that speaks first?
#
# Guess: at once. The proxy costs one more handshake, which takes no time here.
#
# Seen: after a second. The server rejects the ACK by which the proxy ends the handshake, since it echoes a timestamp that
# the server never sent (since 6.15; TSEcrRejected counts them), and does not accept the client before it has answered a
# second SYN-ACK. Without timestamps at the server it does at once.
#
# Output: timestamps 1, the server speaks first: late, 1 rejected
#         timestamps 0, the server speaks first: at once, 0 rejected
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
for package in nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2; do apt-get -q download "$package" >/dev/null 2>&1; done
for file in ./*.deb; do dpkg-deb -x "$file" root; done

cat >server.py <<'P'
import socket
listener = socket.create_server(("192.0.2.2", 7300))
print("ready", file=open("ready", "w"), flush=True)
connection, peer = listener.accept()
connection.sendall(b"hello")
connection.recv(100)
lines = [line.split() for line in open("/proc/net/netstat") if line.startswith("TcpExt:")]
print(dict(zip(*lines))["TSEcrRejected"])
P
cat >client.py <<'P'
import socket, time
began = time.monotonic()
client = socket.create_connection(("192.0.2.2", 7300), 0.5)
client.settimeout(10)
assert client.recv(100) == b"hello"
print("late" if time.monotonic() - began > 0.9 else "at once")
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
in_client ip link set uplink up
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
in_server sh -c "echo $1 >/proc/sys/net/ipv4/tcp_timestamps"
rm -f ready
in_server python3 server.py >rejected & serving=$!
until [ -e ready ]; do sleep 0.05; done
in_client python3 client.py >heard
wait $serving
S
seen=
for timestamps in 1 0; do
  unshare -Urn bash -e inside.sh "$timestamps"
  line="timestamps $timestamps, the server speaks first: $(cat heard), $(cat rejected) rejected"
  echo "$line"
  seen+=$line$'\n'
done
[[ $seen == "timestamps 1, the server speaks first: late, 1 rejected
timestamps 0, the server speaks first: at once, 0 rejected
" ]]
