#!/bin/bash
# Linux 6.18.44 and liburing 2.3-3 (Debian 12): a server orders a multishot accept, and then computes without end, without
# a system call. Its backlog is 2. What do ten clients see, one after the other, and what has the server's queue?
#
# Guess: three are in the queue, and the others' connects time out. The kernel works on an order when the program enters
# it, and this program never does.
#
# Seen: all ten are connected, and the queue is empty. The kernel interrupts the program for each of them, and gives it a
# descriptor that it never asks for. Of a program without the order, or one that is stopped by SIGSTOP, the queue fills.
#
# Output: spins, multishot: 10 connected, 0 queued
#         spins, accept: 3 connected, 3 queued
#         stopped, multishot: 3 connected, 3 queued
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
for package in liburing-dev=2.3-3 liburing2=2.3-3; do apt-get -q download "$package" >/dev/null 2>&1; done
for file in ./*.deb; do dpkg-deb -x "$file" root; done
lib=$(dirname "$(find root -name 'liburing.so.2' | head -n 1)")

cat >server.c <<'C'
#include <arpa/inet.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  struct io_uring ring;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7300)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1 || listen(listener, 2) == -1) return 1;
  if (argc > 1 && strcmp(argv[1], "multishot") == 0) {
    if (io_uring_queue_init(64, &ring, 0) < 0) return 1;
    io_uring_prep_multishot_accept(io_uring_get_sqe(&ring), listener, NULL, NULL, 0);
    if (io_uring_submit(&ring) != 1) return 1;
  }
  puts("ready");
  fflush(stdout);
  for (volatile unsigned long i = 0;; i++) continue;
}
C
gcc -O1 -I root/usr/include -o server server.c "$lib/liburing.so.2"

cat >clients.py <<'P'
import socket, time
clients = []
for _ in range(10):
    try:
        clients.append(socket.create_connection(("127.0.0.1", 7300), 0.5))
    except TimeoutError:
        pass
    time.sleep(0.3)
# /proc/net/tcp has the length of a listener's queue as its unread bytes.
queued = [int(row.split()[4].split(":")[1], 16) for row in open("/proc/net/tcp") if row.split()[3] == "0A"]
print(f"{len(clients)} connected, {queued[0]} queued")
P
cat >inside.sh <<'S'
ip link set lo up
: >said
LD_LIBRARY_PATH=$1 ./server "$3" >said & server=$!
trap 'kill -KILL $server' EXIT
until grep -q ready said; do sleep 0.05; done
[ "$2" = spins ] || kill -STOP $server
python3 clients.py >heard
S
seen=
for case in "spins multishot" "spins accept" "stopped multishot"; do
  read -r state server <<<"$case"
  unshare -Urn bash -e inside.sh "$lib" "$state" "$server"
  line="$state, $server: $(cat heard)"
  echo "$line"
  seen+=$line$'\n'
done
[[ $seen == "spins, multishot: 10 connected, 0 queued
spins, accept: 3 connected, 3 queued
stopped, multishot: 3 connected, 3 queued
" ]]
