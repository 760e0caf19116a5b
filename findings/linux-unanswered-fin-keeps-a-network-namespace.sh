#!/bin/bash
# Linux 6.18: a closed TCP connection whose FIN nobody answers keeps its network namespace for minutes.
#
# Guess: with its last process and its last descriptor a network namespace ends within a second or so, and the kernel
# throws away the sockets that are left in it: nobody can use them any more.
#
# Seen: a socket that was closed while its peer cannot be reached is an orphan that repeats its FIN, and it holds the
# namespace meanwhile. With net.ipv4.tcp_orphan_retries = 0, the default, that means eight repetitions: more than 100 s
# in which nothing in /proc and no tool shows the namespace, and it counts against user.max_net_namespaces. A container
# host that kills what it runs runs out of namespaces ("no space left on device") with none to be seen.
# tcp_orphan_retries = 1, set while somebody still can, makes it a second.
#
# Output: peer answers: gone within 5 s
#         peer cannot be reached: there after 60 s
#         peer cannot be reached, one retry: gone within 5 s
set -euo pipefail

[[ $(uname -r) == 6.18.* ]] || { echo "judged on Linux 6.18 only, this is $(uname -r)"; exit 77; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat >"$place/connection.py" <<'P'
import os, socket, sys
assert os.system("ip link set lo up") == 0
listener = socket.create_server(("127.0.0.1", 4000))
client = socket.create_connection(("127.0.0.1", 4000))
server, _ = listener.accept()
if sys.argv[1] != "answers":
    assert os.system("ip link set lo down") == 0
if sys.argv[1] == "retry":
    open("/proc/sys/net/ipv4/tcp_orphan_retries", "w").write("1")
P
# Two namespaces are allowed: this shell's own, and one more.
cat >"$place/count.sh" <<'S'
echo 2 >/proc/sys/user/max_net_namespaces
unshare --net timeout 20 python3 "$PLACE/connection.py" "$1"
for second in $(seq 0 60); do
  if unshare --net true 2>/dev/null; then
    ((second <= 5)) && echo "gone within 5 s" || echo "gone after $second s"
    exit
  fi
  sleep 1
done
echo "there after 60 s"
S
export PLACE=$place
seen=$(while read -r way words; do
  echo "$words: $(timeout 90 unshare --user --map-root-user --net bash "$place/count.sh" "$way" </dev/null)"
done <<'W'
answers peer answers
gone peer cannot be reached
retry peer cannot be reached, one retry
W
)
echo "$seen"
[[ $seen == "peer answers: gone within 5 s
peer cannot be reached: there after 60 s
peer cannot be reached, one retry: gone within 5 s" ]]
