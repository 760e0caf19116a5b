#!/bin/bash
# PHP 8.2.36 (Debian 12, php8.2-fpm 8.2.36-1~deb12u1): a child belongs to a client until that client closes its socket.
#
# Guess: a FastCGI request without FCGI_KEEP_CONN ends for the server with the end of the answer. php-fpm closes the
# connection, and its only child takes the next client. A request_terminate_timeout of 1 s bounds the rest.
#
# Seen: the client has the whole answer and the end of file, but the child has only shut down its sending side. It reads
# until the client closes, too. Until then the next client waits in the listen queue, with its request sent. The
# timeout does not end that: it bounds the request, which is over. The log says nothing.
#
# Output: first client: served, end of file
#         second client, while the first keeps its socket: waits
#         second client, once the first has closed: served, end of file
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
version=8.2.36-1~deb12u1
apt-get -q download php8.2-fpm=$version php8.2-common=$version \
  libsodium23=1.0.18-1+deb12u1 libargon2-1=0~20171227-0.3+deb12u1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 libapparmor1=3.0.8-3 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
echo '<?php echo "served";' >served.php
cat >fpm.conf <<C
[global]
error_log = $place/log
daemonize = no
[pool]
listen = 127.0.0.1:9000
pm = static
pm.max_children = 1
request_terminate_timeout = 1s
C
cat >client.py <<'P'
import socket, struct, sys, time
def record(kind, content):
    return struct.pack(">BBHHH", 1, kind, 1, len(content), 0) + content
def pair(name, value):
    return bytes([len(name), len(value)]) + name + value
def ask(path):
    names = {b"SCRIPT_FILENAME": path.encode(), b"REQUEST_METHOD": b"GET"}
    connection = socket.create_connection(("127.0.0.1", 9000), 5)
    parameters = b"".join(pair(*item) for item in names.items())
    connection.sendall(record(1, struct.pack(">HBxxxxx", 1, 0)) + record(4, parameters) + record(4, b"") + record(5, b""))
    return connection
def told(connection, limit):
    connection.settimeout(limit)
    text = b""
    try:
        while piece := connection.recv(4096):
            text += piece
        return ("served" if b"served" in text else "nothing") + ", end of file"
    except TimeoutError:
        return "waits"
first = ask(sys.argv[1])
print("first client:", told(first, 5))
second = ask(sys.argv[1])
print("second client, while the first keeps its socket:", told(second, 6))
first.close()
print("second client, once the first has closed:", told(second, 5))
P
cat >inside.sh <<'S'
ip link set lo up
root/usr/sbin/php-fpm8.2 --allow-to-run-as-root --fpm-config fpm.conf -n -c /dev/null -d cgi.fix_pathinfo=0 & server=$!
trap 'kill $server; wait $server 2>/dev/null' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :9000 && break; sleep 0.1; done
python3 client.py "$PWD/served.php"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "first client: served, end of file
second client, while the first keeps its socket: waits
second client, once the first has closed: served, end of file" ]]
