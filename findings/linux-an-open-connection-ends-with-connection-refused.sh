#!/bin/bash
# Linux 6.18, nftables 1.0.6 (Debian 12, nftables 1.0.6-2+deb12u2): ECONNREFUSED from a connection that was open.
#
# Guess: "connection refused" means that connect(2) met a closed port. A connection that is established and whose data is
# no longer answered ends with ETIMEDOUT; ICMP errors about it are ignored, as RFC 1122 asks of soft ones, and RFC 5461
# says.
#
# Seen: they are ignored only until the retransmissions run out. The connection then ends with the last ICMP error in
# place of ETIMEDOUT: a firewall that rejects with port-unreachable, the default of "reject", turns a path that broke
# in the middle of a connection into ECONNREFUSED from recv(2), prot-unreachable into ENOPROTOOPT. Whoever tells by
# the error whether a request can have been sent, and repeats after "refused", repeats one that a server may have.
#
# Output: drop: ETIMEDOUT
#         icmp host-unreachable: EHOSTUNREACH
#         icmp admin-prohibited: EHOSTUNREACH
#         icmp port-unreachable: ECONNREFUSED
#         icmp prot-unreachable: ENOPROTOOPT
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
  libjansson4=2.14-2 libedit2=3.1-20221030-2 libxtables12=1.8.9-2 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >connection.py <<'P'
import errno, os, socket, subprocess, sys
assert os.system("ip link set lo up") == 0
open("/proc/sys/net/ipv4/tcp_retries2", "w").write("3")  # a second instead of a quarter of an hour
listener = socket.create_server(("127.0.0.1", 4000))
client = socket.create_connection(("127.0.0.1", 4000))
server, _ = listener.accept()
client.send(b"one")
assert server.recv(10) == b"one"
verdict = sys.argv[1] if sys.argv[1] == "drop" else "reject with " + sys.argv[1]
rules = ["add table inet f", "add chain inet f in { type filter hook input priority 0; }",
         "add rule inet f in tcp dport 4000 " + verdict]
subprocess.run(["root/usr/sbin/nft", "; ".join(rules)], check=True)
client.send(b"two")
client.settimeout(30)
try:
    client.recv(10)
except OSError as error:
    print(f"{sys.argv[1]}: {errno.errorcode[error.errno]}")
P
seen=$(for verdict in drop "icmp host-unreachable" "icmp admin-prohibited" "icmp port-unreachable" \
  "icmp prot-unreachable"; do
  timeout 60 unshare -Urn python3 connection.py "$verdict"
done)
echo "$seen"
[[ $seen == "drop: ETIMEDOUT
icmp host-unreachable: EHOSTUNREACH
icmp admin-prohibited: EHOSTUNREACH
icmp port-unreachable: ECONNREFUSED
icmp prot-unreachable: ENOPROTOOPT" ]]
