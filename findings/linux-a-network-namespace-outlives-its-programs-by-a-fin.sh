#!/bin/bash
# Linux 6.18: a network namespace outlives its last program by 102 s and more.
#
# Guess: a network namespace goes when its last process has ended and no descriptor or mount holds it.
#
# Seen: a connection that nobody holds any more holds it, too, until its FIN is acknowledged or given up. If the peer is
# unreachable (its namespace went first), that takes eight repetitions, each after twice the time of the one before:
# 102 s and some more (tcp_orphan_retries, whose default 0 stands for 8). As long as that both ends of its veth pair are
# there, and no process is to be seen: the name of the outer end stays taken.
#
# Output: no connection: gone within a second
#         a connection, its peer unreachable: gone after 102 to 112 s
#         the same with tcp_orphan_retries 2: gone within 6 s
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
[[ ${1-} == inside ]] || exec unshare --user --map-root-user --net --mount bash "$0" inside

python3 - <<'P'
import os, signal, socket, subprocess, time

SERVER = """
import socket, sys
listener = socket.create_server(("10.99.0.2", 7300))
print("listens", flush=True)
if sys.argv[1] == "accept":
    connection = listener.accept()[0]
    print("accepted", flush=True)
sys.stdin.read()
"""

def run(*words):
    subprocess.run(words, check=True)

def exists():
    return subprocess.run(["ip", "link", "show", "near"], capture_output=True).returncode == 0

def seconds_until_gone(connects, retries=None):
    far = subprocess.Popen(["unshare", "--net", "python3", "-c", "import sys; sys.stdin.readline(); exec(sys.argv[2])",
        "accept" if connects else "wait", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while os.readlink(f"/proc/{far.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    enter = ["nsenter", f"--net=/proc/{far.pid}/ns/net"]
    run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far.pid))
    run("ip", "address", "add", "10.99.0.1/24", "dev", "near")
    run("ip", "link", "set", "near", "up")
    run(*enter, "ip", "address", "add", "10.99.0.2/24", "dev", "far")
    run(*enter, "ip", "link", "set", "far", "up")
    if retries:
        run(*enter, "sh", "-c", f"echo {retries} >/proc/sys/net/ipv4/tcp_orphan_retries")
    print(file=far.stdin, flush=True)
    assert far.stdout.readline() == "listens\n"
    client = None
    if connects:
        client = socket.create_connection(("10.99.0.2", 7300), 10)
        assert far.stdout.readline() == "accepted\n"
    run("ip", "link", "set", "near", "down")
    far.kill()
    far.wait()
    began = time.monotonic()
    while exists() and time.monotonic() - began < 150:
        time.sleep(0.2)
    if client:
        client.close()
    return time.monotonic() - began

took = seconds_until_gone(False)
assert took < 1, took
print("no connection: gone within a second", flush=True)
took = seconds_until_gone(True)
assert 102 < took < 112, took
print("a connection, its peer unreachable: gone after 102 to 112 s", flush=True)
took = seconds_until_gone(True, 2)
assert took < 6, took
print("the same with tcp_orphan_retries 2: gone within 6 s")
P
