#!/bin/bash
# Tinyproxy 1.11.1 (Debian 12, tinyproxy-bin 1.11.1-2.1+deb12u1): it drops the clients from which it was reading when it
# was stopped and continued.
#
# Guess: a program does not notice SIGSTOP and SIGCONT (Ctrl-Z and fg). A client whose request was half sent sends the
# rest, and is answered.
#
# Seen: its connection is closed without a word. Tinyproxy reads with a timeout (SO_RCVTIMEO). Linux ends such a read
# with EINTR when the program was stopped meanwhile, although there is no handler (signal(7)). Tinyproxy takes that for
# an error of the client. A client that comes while it is stopped is served.
#
# Output: in the midst of its request, not stopped: answered
#         in the midst of its request, stopped for 0.3 s: closed
#         connected while it was stopped: answered
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download tinyproxy-bin=1.11.1-2.1+deb12u1 >/dev/null 2>&1
dpkg-deb -x tinyproxy-bin_*.deb root
mkdir files
echo served >files/file
cat >tinyproxy.conf <<C
Port 8888
Listen 127.0.0.1
Timeout 600
MaxClients 10
LogFile "$place/log"
ReverseOnly Yes
ReversePath "/" "http://127.0.0.1:8080/"
C
cat >client.py <<'P'
import os, signal, socket, sys, time
proxy = int(sys.argv[1])

def connect(text):
    client = socket.create_connection(("127.0.0.1", 8888), 5)
    client.settimeout(10)
    client.sendall(text)
    return client

def stop(signal_number, state):
    os.kill(proxy, signal_number)
    while (open(f"/proc/{proxy}/stat").read().rsplit(") ", 1)[1][0] == "T") != state:
        time.sleep(0.01)

def see(client):
    try:
        return "answered" if b"200" in client.recv(1000) else "closed"
    except ConnectionResetError:
        return "closed"

BEGIN, END = b"GET /file HTTP/1.0\r\n", b"Host: a\r\n\r\n"
client = connect(BEGIN)
time.sleep(0.5) # it has read that
client.sendall(END)
print("in the midst of its request, not stopped:", see(client))
client = connect(BEGIN)
time.sleep(0.5)
stop(signal.SIGSTOP, True)
time.sleep(0.3)
stop(signal.SIGCONT, False)
time.sleep(0.3)
try:
    client.sendall(END)
except (BrokenPipeError, ConnectionResetError):
    pass
print("in the midst of its request, stopped for 0.3 s:", see(client))
stop(signal.SIGSTOP, True)
client = connect(BEGIN + END)
time.sleep(0.3)
stop(signal.SIGCONT, False)
print("connected while it was stopped:", see(client))
P
cat >inside.sh <<'S'
ip link set lo up
python3 -m http.server --bind 127.0.0.1 --directory files 8080 >/dev/null 2>&1 & web=$!
root/usr/bin/tinyproxy -d -c tinyproxy.conf >/dev/null 2>&1 & proxy=$!
trap 'kill $web $proxy' EXIT
for port in 8080 8888; do
  for _ in $(seq 100); do ss -Hltn | grep -q :$port && break; sleep 0.1; done
done
python3 client.py $proxy
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "in the midst of its request, not stopped: answered
in the midst of its request, stopped for 0.3 s: closed
connected while it was stopped: answered" ]]
