#!/bin/bash
# OpenLDAP 2.5.13 (Debian 12, ldap-utils 2.5.13+dfsg-5): with -o nettimeout=2 and -l 2 a silent server is waited for.
#
# Guess: of the two limits that ldapsearch(1) offers, -o nettimeout bounds the network's silence and -l the search, so
# that with both at 2 s a server that accepts no connection cannot hold the client much longer, ldaps:// included.
#
# Seen: both run out and nothing ends. nettimeout covers connect(2) only, and a full handshake is in the kernel's hands;
# the wait for the bind's answer and the TLS handshake have no limit. -l is written into a search request that is never
# sent, for the bind comes first. Only the server's own clock could keep it.
#
# Output: ldap://: still waiting after 8 s
#         ldaps://: still waiting after 8 s
#         nobody listens: status 255 at once
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download ldap-utils=2.5.13+dfsg-5 libldap-2.5-0=2.5.13+dfsg-5 libsasl2-2=2.1.28+dfsg-10 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH LDAPNOINIT=1
cat >silent.py <<'P'
import signal, socket
listener = socket.create_server(("127.0.0.1", 8000))
signal.alarm(60)
signal.pause()
P
cat >inside.sh <<'S'
ip link set lo up
python3 silent.py & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8000 && break; sleep 0.1; done
search() {
  timeout 8 root/usr/bin/ldapsearch -x -l 2 -o nettimeout=2 -H "$1" -b dc=lab >/dev/null 2>&1 && status=0 || status=$?
  if [[ $status == 124 ]]; then echo "still waiting after 8 s"; else echo "status $status at once"; fi
}
echo "ldap://: $(search ldap://127.0.0.1:8000)"
echo "ldaps://: $(search ldaps://127.0.0.1:8000)"
echo "nobody listens: $(search ldap://127.0.0.1:8001)"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "ldap://: still waiting after 8 s
ldaps://: still waiting after 8 s
nobody listens: status 255 at once" ]]
