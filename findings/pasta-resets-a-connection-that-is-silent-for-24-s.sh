#!/bin/bash
# pasta 0.0~git20230309.7c7625d (Debian 12, passt 0.0~git20230309.7c7625d-1): it hides a refusal, and ends silent clients.
#
# Guess: pasta connects for its client by connect(2). So a closed port gives the client "connection refused" (as the
# kernel's NAT and slirp4netns do), and a connection lives as long as both ends want, whoever is silent.
#
# Seen: for a closed port pasta sends nothing at all: the client sends its SYN again until the kernel gives up after
# 134 s (here 3 s, by tcp_syn_retries). A server that is slow to answer the first request does not get to it: after
# 24 s pasta sends the client an RST. After a first answer the same silence does no harm.
#
# Output: closed port: ETIMEDOUT
#         first answer after 30 s: ECONNRESET after 24 s
#         second answer after 30 s: done
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download passt=0.0~git20230309.7c7625d-1 >/dev/null 2>&1
dpkg-deb -x passt_*.deb root
cat >server.py <<'P'
import signal, socket, threading, time
signal.alarm(100)

def serve(client):
    for line in client.makefile("r"):
        if line == "slow\n":
            time.sleep(30)
        try:
            client.sendall(b"done\n")
        except OSError:
            pass

listener = socket.create_server(("10.9.9.1", 8000))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
P
cat >client.py <<'P'
import errno, socket, threading, time

def talk(name, port, requests):
    began = time.monotonic()
    try:
        client = socket.create_connection(("10.9.9.1", port), 60)
        answers = client.makefile("r")
        for request in requests:
            client.sendall(request)
            answer = answers.readline().strip()
    except OSError as trouble:
        answer = errno.errorcode.get(trouble.errno, str(trouble))
        if answer == "ECONNRESET":
            answer += f" after {time.monotonic() - began:.0f} s"
    print(f"{name}: {answer}\n", end="", flush=True)

threads = [threading.Thread(target=talk, args=words) for words in (
    ("closed port", 8001, []),
    ("first answer after 30 s", 8000, [b"slow\n"]),
    ("second answer after 30 s", 8000, [b"quick\n", b"slow\n"]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
P
cat >inside.sh <<'S'
ip link set lo up
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip address add 10.9.9.1/24 dev d0
python3 server.py & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :8000 && break; sleep 0.1; done
timeout 60 root/usr/bin/pasta --netns-only --foreground --stderr --config-net --interface d0 --address 192.168.77.2 \
  --netmask 24 --gateway 192.168.77.1 -- sh -c 'sysctl -qw net.ipv4.tcp_syn_retries=1; exec python3 client.py' 2>log
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "closed port: ETIMEDOUT
first answer after 30 s: ECONNRESET after 24 s
second answer after 30 s: done" ]]
