#!/bin/bash
# glibc 2.36 (Debian 12, libc-bin and libc6 2.36-9+deb12u14): "options timeout:1" does not bound a question over TCP.
#
# Guess: with "timeout:1" and "attempts:1" in resolv.conf (or RES_OPTIONS), getaddrinfo(3) gives up about a second after
# its name server fell silent, by UDP or by TCP: resolv.conf(5) tells of no difference.
#
# Seen: by UDP it ends after 1 s. By TCP (asked for by "use-vc" here) it calls connect, writev and read without any bound.
# A name server whose kernel completes the handshake while the program accepts nobody holds the caller as long as the
# connection lives.
#
# Output: udp: ended within 5 s
#         tcp: still waiting after 10 s
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download libc-bin=2.36-9+deb12u14 libc6=2.36-9+deb12u14 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
echo "nameserver 127.0.0.1" >resolv.conf
echo "hosts: dns" >nsswitch.conf
cat >silent.py <<'P'
import signal, socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 53))
tcp = socket.create_server(("127.0.0.1", 53))
signal.alarm(60)
signal.pause()
P
cat >inside.sh <<'S'
mount --bind resolv.conf "$(realpath /etc/resolv.conf)"
mount --bind nsswitch.conf "$(realpath /etc/nsswitch.conf)"
ip link set lo up
ip addr add 10.99.99.1/32 dev lo  # without an address other than 127.x getent would not ask at all
python3 silent.py & server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do ss -Hltn | grep -q :53 && break; sleep 0.1; done
ask() {  # RES_OPTIONS SECONDS
  RES_OPTIONS=$1 timeout "$2" "$(echo root/lib/*/ld-linux-*.so.2)" --library-path "$(echo root/lib/*-linux-gnu)" \
    root/usr/bin/getent ahostsv4 www.example. || echo $?
}
# getent's own status for a name that was not found is 2; timeout's for one that still waits is 124.
began=$EPOCHREALTIME
udp=$(ask "timeout:1 attempts:1" 5)
asked_us=$((${EPOCHREALTIME/./} - ${began/./}))
((asked_us > 900000)) || udp="not asked"
tcp=$(ask "timeout:1 attempts:1 use-vc" 10)
echo "udp: $([[ $udp == 2 ]] && echo ended within 5 s || echo "status $udp")"
echo "tcp: $([[ $tcp == 124 ]] && echo still waiting after 10 s || echo "status $tcp")"
S
seen=$(unshare -Urnm bash -e inside.sh)
echo "$seen"
[[ $seen == "udp: ended within 5 s
tcp: still waiting after 10 s" ]]
