#!/bin/bash
# Linux 6.18: a periodic timerfd in an edge-triggered epoll set fires once, unless somebody reads it.
#
# Guess: EPOLLET reports each new event, and a periodic timer makes a new one each period. A loop that needs only the
# wake-up may skip the read(2), as it may with an eventfd that is written again and again.
#
# Seen: the first expiry is reported and no other. The kernel re-arms the timer when the descriptor is read, not when it
# expires. The count is worked out at that read, so it shows all the periods that woke nobody.
#
# Output: timerfd of 50 ms, 1 s: 1 event, then read says 20 or more
#         eventfd written 5 times: 5 events
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
seen=$(timeout 60 python3 - <<'P'
import ctypes, os, select, struct, time

libc = ctypes.CDLL(None, use_errno=True)
CLOCK_MONOTONIC, TFD_NONBLOCK = 1, os.O_NONBLOCK

timer = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)
assert timer >= 0
period = struct.pack("qqqq", 0, 50_000_000, 0, 50_000_000)
assert libc.timerfd_settime(timer, 0, period, None) == 0
watch = select.epoll()
watch.register(timer, select.EPOLLIN | select.EPOLLET)
end, events = time.monotonic() + 1.05, 0
while time.monotonic() < end:
    events += len(watch.poll(max(0, end - time.monotonic())))
expired = struct.unpack("Q", os.read(timer, 8))[0]
print("timerfd of 50 ms, 1 s:", events, "event, then read says", "20 or more" if expired >= 20 else expired)

counter = libc.eventfd(0, os.O_NONBLOCK)
watch = select.epoll()
watch.register(counter, select.EPOLLIN | select.EPOLLET)
events = 0
for _ in range(5):
    os.write(counter, struct.pack("Q", 1))
    events += len(watch.poll(1))
print("eventfd written 5 times:", events, "events")
P
)
echo "$seen"
[[ $seen == "timerfd of 50 ms, 1 s: 1 event, then read says 20 or more
eventfd written 5 times: 5 events" ]]
