#!/bin/bash
# Linux 6.18 (seen on 6.1.176, 6.12.117 and 7.2.12, too): a router that has no route to where a packet goes.
#
# Guess: with the default net.ipv4.icmp_ratelimit of 1000 ms it answers each sender with "network unreachable" once a
# second, after a burst, however fast the packets come.
#
# Seen: two answers, and then none for as long as packets keep coming every 0.25 s; every 0.9 s three, and then none.
# Every 1.9 s each packet is answered. Answers cost double: ip_error (net/ipv4/route.c) and the limit of icmp_send take
# from one bucket of the sender's. When a packet finds a second's worth in it, ip_error takes that, and icmp_send finds
# the bucket empty. So a client that sends again and again hears nothing, and one that gives up early hears the code.
# To have the documented rate, take type 3 out of net.ipv4.icmp_ratemask: five, and then one a second.
#
# Output: every 0.25 s: !!......................................
#         every 0.9 s: !!!.........
#         every 1.9 s: !!!!!!
#         every 0.25 s, not in icmp_ratemask: 5 to begin with, 1 in each second after that
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libmnl0=1.0.4-3 libelf1=0.188-2.1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >router.py <<'P'
import ctypes, os, socket, subprocess, time
def ip(words):
    subprocess.run(["root/bin/ip", *words.split()], check=True)
def set_sysctl(name, value):
    with open("/proc/sys/net/ipv4/" + name, "w") as file:
        file.write(str(value))
def answers():
    names, values = [line.split() for line in open("/proc/net/snmp") if line.startswith("Icmp:")]
    return int(values[names.index("InDestUnreachs")])
def send(gap, count):  # to a network that the router does not know; which packets were answered
    answered = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            before = answers()
            sender.sendto(b"?", ("203.0.113.9", 9))
            time.sleep(0.05)
            answered.append(answers() > before)
            time.sleep(gap - 0.05)
    time.sleep(6)  # the bucket is full again
    return answered
is_apart, is_joined, is_free = os.pipe(), os.pipe(), os.pipe()
client = os.fork()
if client == 0:
    assert ctypes.CDLL(None).unshare(0x40000000) == 0  # CLONE_NEWNET
    os.write(is_apart[1], b"1")
    os.read(is_joined[0], 1)
    ip("addr add 192.0.2.2/24 dev client")
    ip("link set client up")
    ip("route add default via 192.0.2.1")
    time.sleep(1)
    for gap, count in (0.25, 40), (0.9, 12), (1.9, 6):
        print(f"every {gap} s:", "".join(".!"[was] for was in send(gap, count)), flush=True)
    os.write(is_free[1], b"1")
    time.sleep(1)
    answered = send(0.25, 24)
    later = [sum(answered[at:at + 4]) for at in range(8, 24, 4)]
    print("every 0.25 s, not in icmp_ratemask:", sum(answered[:5]), "to begin with,", *set(later),
          "in each second after that")
    os._exit(0)
os.read(is_apart[0], 1)
set_sysctl("ip_forward", 1)
ip(f"link add router type veth peer name client netns {client}")
ip("addr add 192.0.2.1/24 dev router")
ip("link set router up")
os.write(is_joined[1], b"1")
os.read(is_free[0], 1)
set_sysctl("icmp_ratemask", 6168 & ~(1 << 3))
assert os.waitpid(client, 0)[1] == 0
P
seen=$(timeout 120 unshare -Urn python3 router.py)
echo "$seen"
[[ $seen == "every 0.25 s: !!......................................
every 0.9 s: !!!.........
every 1.9 s: !!!!!!
every 0.25 s, not in icmp_ratemask: 5 to begin with, 1 in each second after that" ]]
