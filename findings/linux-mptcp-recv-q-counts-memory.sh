#!/bin/bash
# Linux 6.18 with ss of iproute2 6.1.0 (Debian 12, iproute2 6.1.0-3): an MPTCP socket's Recv-Q is memory, not bytes.
#
# Guess: Recv-Q of an accepted connection is the number of bytes that the program has not read (ss(8)), for MPTCP as for
# TCP. Five unread bytes show as 5, in "ss -M" for the connection or in "ss -t" for the subflow that brought them.
#
# Seen: "ss -M" shows several hundred for five bytes: the kernel reports the memory that the queue is charged with, the
# overhead of its buffers included. "ss -t" shows 0 for the subflow, whose queue MPTCP empties at once. No column
# says 5; only the program's own FIONREAD does. A monitor that adds up Recv-Q is wrong either way.
#
# Output: TCP: ss -t 5, FIONREAD 5
#         MPTCP: ss -M over 100, ss -t 0, FIONREAD 5
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
[[ -e /proc/sys/net/mptcp/enabled ]] || { echo "this kernel has no MPTCP"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libmnl0=1.0.4-3 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >hello.py <<'P'
import fcntl, socket, struct, subprocess, termios, time

def recv_q(kind, port):
    lines = subprocess.check_output(["root/bin/ss", "-Hn" + kind, "state", "established"], text=True).splitlines()
    return [int(line.split()[0]) for line in lines if line.split()[2].endswith(f":{port}")][0]

def unread(protocol, port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.connect(("127.0.0.1", port))
    server, _ = listener.accept()
    client.sendall(b"hello")
    for _ in range(100):
        bytes_unread = struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, b"\0" * 4))[0]
        if bytes_unread == 5:
            break
        time.sleep(0.05)
    memory = recv_q("M", port) if protocol != socket.IPPROTO_TCP else None
    return memory, recv_q("t", port), bytes_unread

_, queue, count = unread(socket.IPPROTO_TCP, 4000)
print(f"TCP: ss -t {queue}, FIONREAD {count}")
memory, queue, count = unread(262, 4001)
print(f"MPTCP: ss -M {'over 100' if memory > 100 else memory}, ss -t {queue}, FIONREAD {count}")
P
seen=$(timeout 60 unshare -Urn sh -c 'ip link set lo up; exec python3 hello.py')
echo "$seen"
[[ $seen == "TCP: ss -t 5, FIONREAD 5
MPTCP: ss -M over 100, ss -t 0, FIONREAD 5" ]]
