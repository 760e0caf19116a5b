#!/bin/bash
# Linux 6.18, nftables 1.0.6 (Debian 12, nftables 1.0.6-2+deb12u2): connect(2) against a rule that prohibits.
#
# Guess: "reject with icmpx admin-prohibited" is one rule for both families, so connect(2) fails with the same code for
# IPv4 and IPv6, as it does with the other three words that icmpx knows.
#
# Seen: EHOSTUNREACH by IPv4, EACCES ("permission denied") by IPv6. A client that tries ::1 and then 127.0.0.1 tells of
# one of the two, whichever came last, and EACCES sends people to look for file permissions, SELinux or ports below 1024.
#
# Output: port-unreachable: ECONNREFUSED ECONNREFUSED
#         host-unreachable: EHOSTUNREACH EHOSTUNREACH
#         no-route: ENETUNREACH ENETUNREACH
#         admin-prohibited: EHOSTUNREACH EACCES
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
cat >connect.py <<'P'
import errno, os, socket, subprocess
def nft(rules):
    subprocess.run(["root/usr/sbin/nft", rules], check=True)
assert os.system("ip link set lo up") == 0
nft("add table inet f; add chain inet f in { type filter hook input priority 0; }")
for word in "port-unreachable", "host-unreachable", "no-route", "admin-prohibited":
    nft(f"flush chain inet f in; add rule inet f in tcp dport 4000 reject with icmpx {word}")
    codes = []
    for address in "127.0.0.1", "::1":
        try:
            socket.create_connection((address, 4000), 30)
        except OSError as error:
            codes.append(errno.errorcode[error.errno])
    print(f"{word}: {' '.join(codes)}")
P
seen=$(timeout 60 unshare -Urn python3 connect.py)
echo "$seen"
[[ $seen == "port-unreachable: ECONNREFUSED ECONNREFUSED
host-unreachable: EHOSTUNREACH EHOSTUNREACH
no-route: ENETUNREACH ENETUNREACH
admin-prohibited: EHOSTUNREACH EACCES" ]]
