#!/bin/bash
# NATS server 2.9.10 (Debian 12, nats-server 2.9.10-1+b3): a client publishes a message and resets its connection while
# the server is stopped (SIGSTOP). Is the message published once the server goes on?
#
# Guess: always: the bytes lie in the socket, and a read gives them before it tells of the RST.
#
# Seen: always, if the stop ends within the 2 s after which the server sends a client its first PING. If it ends later,
# the PING is due as well, and it fails. Then the connection may be closed before its bytes are read: in a part of the
# runs the message is lost. So a pause of the server (a debugger, a suspended virtual machine) decides about messages
# that had come before it.
#
# Output: stopped for 0.5 s: all 12 published
#         stopped for 3 s: not all published
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download nats-server=2.9.10-1+b3 >/dev/null 2>&1
dpkg-deb -x nats-server_*.deb root
cat >run.py <<'P'
import os, signal, socket, struct, subprocess, sys, time

def published(seconds):
    log = open("log", "w+")
    server = subprocess.Popen(["root/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", "4222", "-V"], stderr=log)
    try:
        ends = time.monotonic() + 20
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", 4222), 5)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < ends
                time.sleep(0.02)
        heard = b""
        client.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
        while b"PONG" not in heard:
            heard += client.recv(4096)
        os.kill(server.pid, signal.SIGSTOP)
        client.sendall(b"PUB word 1\r\n1\r\n")
        time.sleep(seconds)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        os.kill(server.pid, signal.SIGCONT)
        time.sleep(0.7)
    finally:
        server.kill()
        server.wait()
    return "[PUB word 1]" in open("log").read()

def run(seconds, most):
    count = 0
    for number in range(1, most + 1):
        count += published(seconds)
        if seconds > 2 and count < number:
            break
    return count, number

count, number = run(0.5, 12)
assert count == number == 12, count
print("stopped for 0.5 s: all 12 published", flush=True)
count, number = run(3, 40)
print("stopped for 3 s:", "not all published" if count < number else "all published", flush=True)
P
seen=$(unshare -Urn sh -c 'ip link set lo up && python3 run.py')
echo "$seen"
[[ $seen == "stopped for 0.5 s: all 12 published
stopped for 3 s: not all published" ]]
