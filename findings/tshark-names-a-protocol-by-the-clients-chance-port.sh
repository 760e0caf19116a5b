#!/bin/bash
# tshark 4.0.17 (Debian 12, tshark 4.0.17-0+deb12u3): a client's ephemeral port can decide how a stream is dissected.
#
# Guess: a capture of an unknown protocol to server port 4000 shows as TCP with its data, whichever port the client's
# kernel picked: a dissector is chosen by the server's port, and ephemeral ports have none.
#
# Seen: tshark asks for a dissector by either port, and some are registered for ports within 32768 to 60999, the range
# that Linux picks from. The same lines of text are an EtherCAT frame from port 34980, a PCP proxy's host and port from
# 44322, CBSP from 48049, AMS (malformed) from 48898. From 44321 and 44818 each segment is "of a reassembled PDU"
# that never ends, and no data is shown. So about one connection in 4,700 (6 ports of 28,232) looks unlike its
# neighbours. Give -d tcp.port==PORT,data for the server's port or --disable-protocol.
#
# Output: 40000 raw:ip:tcp:data        44322 raw:ip:tcp:pmproxy
#         34980 raw:ip:tcp:ecatf:data  44818 raw:ip:tcp
#         44321 raw:ip:tcp             48049 raw:ip:tcp:cbsp
#                                      48898 raw:ip:tcp:ams
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
version=4.0.17-0+deb12u3
apt-get -q download tshark=$version libwireshark16=$version libwiretap13=$version libwsutil14=$version \
  libc-ares2=1.18.1-3 liblua5.2-0=5.2.4-3 libnghttp2-14=1.52.0-1+deb12u3 libpcap0.8=1.10.3-1 \
  libsmi2ldbl=0.4.8+dfsg2-16 libsnappy1v5=1.1.9-3 libbrotli1=1.0.9-2+deb12u1 libglib2.0-0=2.74.6-2+deb12u9 \
  libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH HOME=$place
cat >capture.py <<'P'
import struct, sys

LINKTYPE_RAW, SYN, ACK, PSH = 101, 2, 16, 8
CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def segment(source, port, target, target_port, sequence, acknowledged, flags, data=b""):
    def header(sum_):
        return struct.pack("!HHIIBBHHH", port, target_port, sequence, acknowledged, 0x50, flags, 65535, sum_, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, 20 + len(data))
    tcp = header(checksum(pseudo + header(0) + data)) + data
    def ip(sum_):
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, sum_) + source + target
    return ip(checksum(ip(0))) + tcp

with open("lines.pcap", "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
    question, answer = b"delete 7 and tell me when it is done\n", b"done, as you wished, number 7 is gone\n"
    for second, port in enumerate(map(int, sys.argv[1:])):
        out, back = (CLIENT, port, SERVER, 4000), (SERVER, 4000, CLIENT, port)
        for packet in (segment(*out, 100, 0, SYN), segment(*back, 500, 101, SYN | ACK), segment(*out, 101, 501, ACK),
                       segment(*out, 101, 501, PSH | ACK, question),
                       segment(*back, 501, 101 + len(question), PSH | ACK, answer)):
            file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)
P
python3 capture.py 40000 34980 44321 44322 44818 48049 48898
seen=$(timeout 120 root/usr/bin/tshark -r lines.pcap -Y 'tcp.len > 0 && tcp.dstport == 4000' \
  -T fields -E separator=/s -e tcp.srcport -e frame.protocols 2>/dev/null)
echo "$seen"
[[ $seen == "40000 raw:ip:tcp:data
34980 raw:ip:tcp:ecatf:data
44321 raw:ip:tcp
44322 raw:ip:tcp:pmproxy
44818 raw:ip:tcp
48049 raw:ip:tcp:cbsp
48898 raw:ip:tcp:ams" ]]
