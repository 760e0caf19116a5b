#!/bin/bash
# GNU Wget 1.21.3 (Debian 12, wget 1.21.3-1+deb12u1): a POST whose connection closes without an answer is sent again.
#
# Guess: a request that is not idempotent is not repeated on its own account: wget --post-data fails at once when the
# server reads the request and closes without a byte, as curl does even with --retry 3 (exit status 52, one POST).
#
# Seen: wget sends the POST again for each of its tries (20 of them by default, here 4), body and all, and a server that
# did the work before it dropped the connection does it that many times. A silent server is asked as often, each try
# after --read-timeout. (Proxies and HTTP libraries know the difference between GET and POST here; wget does not ask.)
#
# Output: wget --tries=4, close without an answer: 4 POSTs, status 4
#         wget --tries=3, silence: 3 POSTs, status 4
#         curl --retry 3, close without an answer: 1 POST, status 52
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download wget=1.21.3-1+deb12u1 curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
cat >server.py <<'P'
import signal, socket, sys
signal.alarm(60)
keep = []
listener = socket.create_server(("127.0.0.1", 8000))
while True:
    client, _ = listener.accept()
    client.settimeout(5)
    request = b""
    while not request.endswith(b"task=7"):
        more = client.recv(65536)
        if not more:
            break
        request += more
    print(request.split(b"\r\n")[0].decode(), flush=True)
    if b"/silence" in request:
        keep.append(client)
    else:
        client.close()
P
cat >inside.sh <<'S'
ip link set lo up
python3 server.py >asked.txt & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8000 && break; sleep 0.1; done
wget=(timeout 30 root/usr/bin/wget -q -O /dev/null --no-config --no-proxy --waitretry=0 --post-data=task=7)
"${wget[@]}" --tries=4 http://127.0.0.1:8000/close && a=0 || a=$?
"${wget[@]}" --tries=3 --read-timeout=1 http://127.0.0.1:8000/silence && b=0 || b=$?
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) timeout 30 root/usr/bin/curl -q -s --noproxy '*' \
  --retry 3 --retry-delay 1 --data task=7 http://127.0.0.1:8000/curl && c=0 || c=$?
count() { grep -c "^POST /$1 " asked.txt; }
echo "wget --tries=4, close without an answer: $(count close) POSTs, status $a"
echo "wget --tries=3, silence: $(count silence) POSTs, status $b"
echo "curl --retry 3, close without an answer: $(count curl) POST, status $c"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "wget --tries=4, close without an answer: 4 POSTs, status 4
wget --tries=3, silence: 3 POSTs, status 4
curl --retry 3, close without an answer: 1 POST, status 52" ]]
