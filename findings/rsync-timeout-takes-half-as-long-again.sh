#!/bin/bash
# rsync 3.5.0 (Debian 12, 3.5.0+ds1-0+deb12u1): --timeout=4 gives up on a silent daemon after 6 s, and says 4.
#
# Guess: rsync(1) says of --timeout=SECONDS: "If no data is transferred for the specified time then rsync will exit". So
# --timeout=4 waits 4 s for a daemon that accepts nobody.
#
# Seen: it waits 6 s, and prints "io timeout after 4 seconds". strace shows three calls of poll(2), each with half of the
# timeout, rounded up. --timeout=3 waits 6 s as well, and --timeout=6 waits 9 s.
#
# Output: after 6 s: [Receiver] io timeout after 4 seconds -- exiting
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download rsync=3.5.0+ds1-0+deb12u1 libpopt0=1.19+dfsg-1 libxxhash0=0.8.1-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >silent.py <<'P'
import signal, socket
listener = socket.create_server(("127.0.0.1", 8000))
print("ready", flush=True)
signal.alarm(60)
signal.pause()
P
cat >inside.sh <<'S'
ip link set lo up
coproc server { python3 silent.py; }
trap 'kill $server_PID' EXIT
read -r _ <&"${server[0]}"
began=$EPOCHREALTIME
words=$(timeout 30 root/usr/bin/rsync --timeout=4 rsync://127.0.0.1:8000/ 2>&1 | head -n 1)
echo "after $(((${EPOCHREALTIME/./} - ${began/./}) / 1000000)) s: $words"
S
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "after 6 s: [Receiver] io timeout after 4 seconds -- exiting" ]]
