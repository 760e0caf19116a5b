#!/bin/bash
# Linux 6.18: how much an unaccepted client can send hangs on how it waits and on its congestion control.
#
# Guess: what a client can write to a server that never accepts is fixed by the buffers' settings: a client that writes
# until the kernel takes no more gets the same number of bytes in, whether it waits by poll(2), tries again every 10 ms
# or blocks with SO_SNDTIMEO. Congestion control paces a path; once nothing moves, it does not count.
#
# Seen: a poller is not woken before a third of the send buffer is free, and stops with less than that unused.
# One that tries again on a timer fills it, and so does the send after a timeout of SO_SNDTIMEO. The buffer itself
# grows with the congestion window times a factor that the algorithm names: 2 for reno, 3 for bbr. So the same
# program loses about half as much again to the same dead server under bbr.
#
# Output: reno: poll 2625024, retry 2720256, timeout 2720256
#         bbr: poll 3910656, retry 4291584, timeout 4291584       (the numbers depend on the settings, not their order)
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
grep -qw bbr /proc/sys/net/ipv4/tcp_allowed_congestion_control || { echo "bbr is not allowed here"; exit 77; }
timeout 120 unshare -Urn sh -c 'ip link set lo up; exec python3 -' <<'P'
import select, socket, struct, sys, time

REST_S, MOST_S = 1.5, 20

def fill(control, wait):
    """Returns how many bytes the kernel took until it took none for REST_S."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control)
    client.connect(listener.getsockname())
    client.setblocking(False)
    if wait == "timeout":
        client.setblocking(True)  # not settimeout(), which polls
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
    writable = select.poll()
    writable.register(client, select.POLLOUT)
    taken, began = 0, time.monotonic()
    last = began
    while time.monotonic() < min(last + REST_S, began + MOST_S):
        try:
            taken += client.send(b"x" * 65536)
            last = time.monotonic()
        except BlockingIOError:
            if wait == "poll" and not writable.poll(REST_S * 1000):
                break
            if wait == "retry":
                time.sleep(0.01)
    return taken

seen = {control: {wait: fill(control.encode(), wait) for wait in ("poll", "retry", "timeout")}
        for control in ("reno", "bbr")}
for control, taken in seen.items():
    print(f"{control}:", ", ".join(f"{wait} {count}" for wait, count in taken.items()))
less = all(taken["poll"] < 0.98 * min(taken["retry"], taken["timeout"]) for taken in seen.values())
sys.exit(0 if less and seen["bbr"]["poll"] > 1.25 * seen["reno"]["poll"] else 1)
P
