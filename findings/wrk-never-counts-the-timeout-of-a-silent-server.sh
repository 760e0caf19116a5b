#!/bin/bash
# wrk 4.1.0 (Debian 12, wrk 4.1.0-3+b2): --timeout counts answers that come late, never those that do not come.
#
# Guess: wrk --timeout 1s for 4 s against a server that lets every client connect and answers nobody prints "Socket
# errors: ... timeout N" with N of 2 or more.
#
# Seen: no line of errors at all, 0 requests, exit status 0. wrk compares the time with --timeout when an answer is
# complete, so only a late answer is counted; it neither gives up on a request nor closes the connection. Against a
# server whose answers take 1.5 s the same command counts timeouts. One frozen server of several is thus invisible.
#
# Output: silent server: 0 requests, errors none
#         slow server: requests, timeouts counted
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download wrk=4.1.0-3+b2 libluajit-5.1-2=2.1.0~beta3+git20220320+dfsg-4.1+deb12u1 \
  libluajit-5.1-common=2.1.0~beta3+git20220320+dfsg-4.1+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >servers.py <<'P'
import signal, socket, threading, time
signal.alarm(60)
silent = socket.create_server(("127.0.0.1", 8000))
slow = socket.create_server(("127.0.0.1", 8001))
def answer(client):
    while client.recv(65536):
        time.sleep(1.5)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
while True:
    threading.Thread(target=answer, args=slow.accept()[:1], daemon=True).start()
P
cat >inside.sh <<'S'
ip link set lo up
python3 servers.py 2>servers.txt & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8001 && break; sleep 0.1; done
timeout 20 root/usr/bin/wrk -d4 -t1 -c2 --timeout 1s http://127.0.0.1:8000/ >silent.txt
timeout 20 root/usr/bin/wrk -d4 -t1 -c2 --timeout 1s http://127.0.0.1:8001/ >slow.txt
S
unshare -Urn bash -e inside.sh
silent="$(sed -n 's/^ *\([0-9]* requests\) in.*/\1/p' silent.txt), errors $(grep -o 'Socket errors.*' silent.txt || echo none)"
slow="$(grep -q '^ *[1-9][0-9]* requests in' slow.txt && echo requests), $(grep -q 'timeout [1-9]' slow.txt && echo timeouts counted)"
echo "silent server: $silent"
echo "slow server: $slow"
[[ $silent == "0 requests, errors none" && $slow == "requests, timeouts counted" ]]
