#!/bin/bash
# rinetd 0.73 (Debian 12, rinetd 0.73-1): its log has "opened" and "done-local-closed" where the server refused.
#
# Guess: a forwarder that logs each connection logs also that it could not connect, as socat, xinetd and stunnel do.
#
# Seen: rinetd calls connect(2) without waiting, writes "opened" at once, and takes the refusal for an end of the
# connection by the server: "done-local-closed" (local is the server's side). A server that closes without a word, after
# it accepted, leaves the same two lines. The log cannot tell whether a server was there.
#
# Output: refused:  opened done-local-closed
#         accepted: opened done-local-closed
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download rinetd=0.73-1 >/dev/null 2>&1
dpkg-deb -x rinetd_*.deb root
cat >rinetd.conf <<C
127.0.0.1 7000 127.0.0.1 7001
127.0.0.1 7002 127.0.0.1 7003
logfile $place/log
pidlogfile $place/pid
C
cat >closer.py <<'P'
import signal, socket
signal.alarm(60)
listener = socket.create_server(("127.0.0.1", 7003))
while True:
    listener.accept()[0].close()
P
cat >client.py <<'P'
import socket, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
assert client.recv(1) == b""
client.close()
P
cat >inside.sh <<'S'
ip link set lo up
root/usr/sbin/rinetd -f -c rinetd.conf >/dev/null 2>&1 & forwarder=$!
python3 closer.py & closer=$!
trap 'kill $forwarder $closer' EXIT
for _ in $(seq 100); do [[ $(ss -Hltn | grep -c ':700[023]') == 3 ]] && break; sleep 0.1; done
python3 client.py 7000
python3 client.py 7002
for _ in $(seq 100); do [[ $(wc -l <log) == 4 ]] && break; sleep 0.1; done
S
unshare -Urn bash -e inside.sh
words() { awk -v port="$1" '$4 == port { words = words " " $NF } END { print words }' log; }
refused=$(words 7000) accepted=$(words 7002)
echo "refused: $refused"
echo "accepted:$accepted"
[[ $refused == " opened done-local-closed" && $accepted == "$refused" ]]
