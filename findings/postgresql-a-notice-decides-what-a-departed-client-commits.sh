#!/bin/bash
# PostgreSQL 15.20 (Debian 12, postgresql-15 15.20-0+deb12u1): a NOTICE decides whether the INSERT of a client that has
# left is committed.
#
# Guess: a client sends its login and "CREATE TABLE IF NOT EXISTS t (...); INSERT INTO t ..." together and leaves, while
# the server is stopped. When the server goes on, the INSERT is committed, or it is not. Whether the table is there
# before makes no difference.
#
# Seen: it is committed only if the table is new. If the table is there, PostgreSQL at once sends the NOTICE that it is.
# That is its second write to the client, after the greeting. The first one was answered by an RST, so the second one
# fails, and the backend ends at its next look, before the INSERT. Without the notice (client_min_messages = warning)
# the second write comes after the commit. The log is the same: "connection to client lost".
#
# Output: table is new: committed
#         table is there: not committed
#         table is there, no notices: committed
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download postgresql-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1 \
  libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 libldap-2.5-0=2.5.13+dfsg-5 libsasl2-2=2.1.28+dfsg-10 \
  >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >client.py <<'P'
import os, signal, socket, struct, sys, time
server, log = int(sys.argv[1]), sys.argv[2]

def connect():
    client = socket.create_connection(("127.0.0.1", 5432), 5)
    client.settimeout(20)
    text = struct.pack(">I", 196608) + b"user\0me\0database\0postgres\0\0"
    client.sendall(struct.pack(">I", len(text) + 4) + text)
    return client

def query(text): return b"Q" + struct.pack(">I", len(text) + 5) + text.encode() + b"\0"

def ask(text):
    with connect() as client:
        client.sendall(query(text))
        seen = b""
        while seen.count(b"Z\0\0\0\5I") < 2:
            part = client.recv(4096)
            assert part, seen
            seen += part
        return seen

def lost(): return open(log).read().count("connection to client lost")

def stop(signal_number, state):
    os.kill(server, signal_number)
    while (open(f"/proc/{server}/stat").read().rsplit(") ", 1)[1][0] == "T") != state:
        time.sleep(0.01)

def try_once(word, table, before):
    so_far = lost()
    stop(signal.SIGSTOP, True)
    client = connect()
    create = f"{before} CREATE TABLE IF NOT EXISTS {table} (word text)"
    client.sendall(query(f"{create}; INSERT INTO {table} VALUES ('ghost')"))
    time.sleep(0.3)
    client.close()
    time.sleep(0.3)
    stop(signal.SIGCONT, False)
    for _ in range(200):
        if lost() > so_far:
            break
        time.sleep(0.05)
    ask(f"CREATE TABLE IF NOT EXISTS {table} (word text)")
    print(f"{word}:", "committed" if b"ghost" in ask(f"SELECT * FROM {table}") else "not committed")

try_once("table is new", "a", "")
ask("CREATE TABLE b (word text); CREATE TABLE c (word text)")
try_once("table is there", "b", "")
try_once("table is there, no notices", "c", "SET client_min_messages = warning;")
P
cat >inside.sh <<'S'
bin=$(echo root/usr/lib/postgresql/*/bin)
$bin/initdb -D data -U me -A trust --no-locale --no-sync >/dev/null
$bin/postgres -D data -h 127.0.0.1 -F -c unix_socket_directories= -c jit=off >log 2>&1 & server=$!
trap 'kill -QUIT $server; wait $server 2>/dev/null || true' EXIT
for _ in $(seq 200); do grep -q "ready to accept" log && break; sleep 0.1; done
python3 client.py $server log
S
# PostgreSQL refuses to run as root, also as that of a user namespace.
seen=$(unshare -Urn sh -c 'ip link set lo up && exec unshare -U --map-user=1000 bash -e inside.sh')
echo "$seen"
[[ $seen == "table is new: committed
table is there: not committed
table is there, no notices: committed" ]]
