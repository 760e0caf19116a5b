#!/bin/bash
# PyMySQL 1.0.2 (Debian 12, python3-pymysql 1.0.2-2+deb12u1): connect(connect_timeout=2) waits for ever.
#
# Guess: pymysql.connect() returns a connection that has logged in, so its connect_timeout ("The timeout for connecting
# to the database in seconds") bounds the login. The same option of MariaDB's own client and of Node's mysql2 does.
#
# Seen: it bounds connect(2) only. PyMySQL then takes the timeout off the socket and reads the server's greeting. A
# server that accepts nobody holds the caller without end: the kernel has completed the handshake. read_timeout bounds
# the greeting, and every later answer, too.
#
# Output: connect_timeout=2: still waiting after 8 s
#         connect_timeout=2, read_timeout=2: OperationalError
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download python3-pymysql=1.0.2-2+deb12u1 >/dev/null 2>&1
dpkg-deb -x ./*.deb root
export PYTHONPATH=$place/root/usr/lib/python3/dist-packages
cat >silent.py <<'P'
import signal, socket
listener = socket.create_server(("127.0.0.1", 8000))
print("ready", flush=True)
signal.alarm(60)
signal.pause()
P
cat >client.py <<'P'
import pymysql, sys
try:
    pymysql.connect(host="127.0.0.1", port=8000, **eval(f"dict({sys.argv[1]})"))
except pymysql.Error as error:
    print(type(error).__name__)
P
cat >inside.sh <<'S'
ip link set lo up
coproc server { python3 silent.py; }
trap 'kill $server_PID' EXIT
read -r _ <&"${server[0]}"
for options in connect_timeout=2 "connect_timeout=2, read_timeout=2"; do
  echo "$options: $(timeout 8 python3 client.py "$options" || echo "still waiting after 8 s")"
done
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "connect_timeout=2: still waiting after 8 s
connect_timeout=2, read_timeout=2: OperationalError" ]]
