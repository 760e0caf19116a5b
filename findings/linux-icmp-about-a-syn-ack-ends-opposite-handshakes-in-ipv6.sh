#!/bin/bash
# Linux 6.18: a server answers a SYN, and an ICMP error about its SYN-ACK comes back. Is the handshake given up?
#
# Guess: as for other connections (RFC 1122, 4.2.3.9; RFC 5461): "port unreachable" and "prohibited" are hard errors and
# may end it, "no route", "host unreachable" and "time exceeded" are soft ones and do not; in IPv4 and IPv6 alike.
#
# Seen: IPv6 does so. IPv4 does the opposite: soft errors end a half-open connection at once, and hard errors do not.
# tcp_v4_err names the errors that end it, and icmpv6_err_convert decides by whether an error is fatal. So clients
# behind a router that loses its route for a moment are cut off in the midst of their handshake over IPv4 alone.
#
# Output: IPv4 no route: given up
#         IPv4 host unreachable: given up
#         IPv4 time exceeded: given up
#         IPv4 port unreachable: goes on
#         IPv4 prohibited: goes on
#         IPv6 no route: goes on
#         IPv6 host unreachable: goes on
#         IPv6 time exceeded: goes on
#         IPv6 port unreachable: given up
#         IPv6 prohibited: given up
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat >"$place/router.py" <<'P'
import socket, struct, subprocess, sys, time

SERVER = int(sys.argv[1])
IN_SERVER = ["nsenter", f"--net=/proc/{SERVER}/ns/net"]

def run(words):
    return subprocess.run(words.split(), check=True, capture_output=True, text=True).stdout

def inside(words):
    return subprocess.run(IN_SERVER + words.split(), check=True, capture_output=True, text=True).stdout

def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

class IPv4:
    client, server, name = "10.99.0.9", "10.99.0.2", "IPv4"
    family, frame_type, icmp = socket.AF_INET, b"\x08\x00", 1
    ERRORS = {"no route": (3, 0), "host unreachable": (3, 1), "time exceeded": (11, 0), "port unreachable": (3, 3),
        "prohibited": (3, 13)}
    length = 20

    def pseudo(self, protocol, length):
        return self.ends() + struct.pack("!BBH", 0, protocol, length)

    def ends(self):
        return socket.inet_pton(self.family, self.client) + socket.inet_pton(self.family, self.server)

    def packet(self, protocol, data):
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + self.ends()
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data

    def seal(self, data):
        return data[:2] + struct.pack("!H", checksum(data)) + data[4:]

class IPv6(IPv4):
    client, server, name = "fd00::9", "fd00::2", "IPv6"
    family, frame_type, icmp = socket.AF_INET6, b"\x86\xdd", 58
    ERRORS = {"no route": (1, 0), "host unreachable": (1, 3), "time exceeded": (3, 0), "port unreachable": (1, 4),
        "prohibited": (1, 1)}
    length = 40

    def pseudo(self, protocol, length):
        return self.ends() + struct.pack("!II", length, protocol)

    def packet(self, protocol, data):
        return struct.pack("!IHBB", 6 << 28, len(data), protocol, 64) + self.ends() + data

    def seal(self, data):
        return data[:2] + struct.pack("!H", checksum(self.pseudo(58, len(data)) + data)) + data[4:]

run(f"ip link add near type veth peer name far netns {SERVER}")
run("ip link set near up")
inside("ip address add 10.99.0.2/24 dev far")
inside("ip address add fd00::2/64 dev far nodad")
inside("ip link set far up")
near = run("ip -o link show near").split("link/ether ")[1].split()[0]
far = inside("ip -o link show far").split("link/ether ")[1].split()[0]
for ip in IPv4, IPv6:
    inside(f"ip neighbour replace {ip.client} lladdr {near} dev far nud permanent")
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("near", 0))
wire.settimeout(5)
mac = lambda text: bytes.fromhex(text.replace(":", ""))

def send(ip, packet):
    wire.send(mac(far) + mac(near) + ip.frame_type + packet)

def syn_ack(ip, port):
    while True:
        frame = wire.recv(2000)
        packet = frame[14:]
        if frame[12:14] == ip.frame_type and packet[ip.length:ip.length + 4] == struct.pack("!HH", 7300, port) \
                and packet[ip.length + 13] == 0x12:
            return packet

def half_open(ip, port):
    return f":{port}" in inside("ss -Htn state syn-recv")

def await_state(ip, port, wanted, seconds):
    ends = time.monotonic() + seconds
    while half_open(ip, port) != wanted and time.monotonic() < ends:
        time.sleep(0.02)
    return half_open(ip, port) == wanted

port = 5000
for ip in IPv4(), IPv6():
    for name, (kind, code) in ip.ERRORS.items():
        port += 1
        syn = struct.pack("!HHIIBBHHH", port, 7300, 1, 0, 0x50, 2, 65535, 0, 0)
        syn = syn[:16] + struct.pack("!H", checksum(ip.pseudo(6, len(syn)) + syn)) + syn[18:]
        send(ip, ip.packet(6, syn))
        answer = syn_ack(ip, port)
        assert await_state(ip, port, True, 2)
        send(ip, ip.packet(ip.icmp, ip.seal(struct.pack("!BBHI", kind, code, 0, 0) + answer)))
        is_over = await_state(ip, port, False, 0.5)
        print(f"{ip.name} {name}: {'given up' if is_over else 'goes on'}", flush=True)
P
cat >"$place/server.py" <<'P'
import socket, time
while not any(name == "far" for _, name in socket.if_nameindex()):
    time.sleep(0.01)
server = socket.create_server(("::", 7300), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
time.sleep(60)
P
cat >"$place/inside.sh" <<'S'
unshare --net python3 server.py & server=$!
trap 'kill $server; wait $server 2>/dev/null || true' EXIT
until [[ $(readlink /proc/$server/ns/net) != $(readlink /proc/self/ns/net) ]]; do sleep 0.01; done
python3 router.py $server
S
cd "$place"
seen=$(unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == "IPv4 no route: given up
IPv4 host unreachable: given up
IPv4 time exceeded: given up
IPv4 port unreachable: goes on
IPv4 prohibited: goes on
IPv6 no route: goes on
IPv6 host unreachable: goes on
IPv6 time exceeded: goes on
IPv6 port unreachable: given up
IPv6 prohibited: given up" ]]
