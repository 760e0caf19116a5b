#!/bin/bash
# ApacheBench 2.3 (Debian 12, apache2-utils 2.4.71-1~deb12u1) and autocannon 7.15.0 (npm): no answer counts as done.
#
# Guess: a load generator whose server reads each request and closes the connection without a byte in reply reports that
# all requests failed, as wrk does ("Socket errors: read N").
#
# Seen: ab counts every one as complete and none as failed, and draws its table of percentiles from them; only "HTML
# transferred: 0" tells. autocannon prints the number of requests it sent and no line of errors (none is counted).
# So a server that drops clients at its limit looks fast and sound.
#
# Output: ab          Complete requests: 10, Failed requests: 0
#         autocannon  sent over 2, answers 0, errors 0, timeouts 0
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download apache2-utils=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
npm install --silent --no-audit --no-fund --cache "$place/npm" --prefix "$place" autocannon@7.15.0 >/dev/null
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >closer.py <<'P'
import signal, socket
signal.alarm(60)
listener = socket.create_server(("127.0.0.1", 8000))
while True:
    client, _ = listener.accept()
    client.settimeout(5)
    client.recv(65536)
    client.close()
P
cat >inside.sh <<'S'
ip link set lo up
python3 closer.py & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8000 && break; sleep 0.1; done
timeout 20 root/usr/bin/ab -n 10 http://127.0.0.1:8000/ >ab.txt 2>&1
timeout 20 node_modules/.bin/autocannon -c 2 -d 2 --json http://127.0.0.1:8000/ >cannon.json 2>/dev/null
S
unshare -Urn bash -e inside.sh
ab=$(sed -n 's/^\(Complete\|Failed\) requests: */\1 requests: /p' ab.txt | paste -sd, | sed 's/,/, /')
cannon=$(python3 - <<'P'
import json
seen = json.load(open("cannon.json"))
answers = sum(seen[kind] for kind in ("1xx", "2xx", "3xx", "4xx", "5xx"))
sent = seen["requests"]["sent"]
print("sent", "over 2," if sent > 2 else f"{sent},", f"answers {answers}, errors {seen['errors']}, timeouts {seen['timeouts']}")
P
)
echo "ab          $ab"
echo "autocannon  $cannon"
[[ $ab == "Complete requests: 10, Failed requests: 0" && $cannon == "sent over 2, answers 0, errors 0, timeouts 0" ]]
