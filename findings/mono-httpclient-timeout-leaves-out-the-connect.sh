#!/bin/bash
# Mono 6.8.0.105 (Debian 12): HttpClient.Timeout does not end the wait for a server whose queue is full.
#
# Guess: HttpClient.Timeout bounds the whole request, so that with 2 s GetStringAsync ends after 2 s, whether the server
# is silent or its queue is full and the SYN is dropped.
#
# Seen: for a silent server it does. With a full queue the client waits on, as long as the kernel sends the SYN again:
# two minutes by default.
#
# Output: silent: TaskCanceledException after 2 s
#         queue full: still waiting after 12 s
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >client.cs <<'P'
using System;
using System.Net.Http;
class Client {
  static void Main() {
    var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
    var began = DateTime.UtcNow;
    try { client.GetStringAsync("http://127.0.0.1:8000/").GetAwaiter().GetResult(); }
    catch (Exception error) {
      Console.WriteLine($"{error.GetType().Name} after {(int) (DateTime.UtcNow - began).TotalSeconds} s");
    }
    Environment.Exit(0);
  }
}
P
mcs -r:System.Net.Http client.cs
cat >server.py <<'P'
import signal, socket, sys
listener = socket.create_server(("127.0.0.1", 8000), backlog=1)
if sys.argv[1] == "queue full":
    clients = [socket.create_connection(("127.0.0.1", 8000)) for _ in range(2)]
print("ready", flush=True)
signal.alarm(60)
signal.pause()
P
cat >inside.sh <<'S'
ip link set lo up
for how in silent "queue full"; do
  coproc server { exec python3 server.py "$how"; }
  read -r _ <&"${server[0]}"
  echo "$how: $(timeout 12 mono client.exe || echo "still waiting after 12 s")"
  kill "$server_PID"
  wait 2>/dev/null || true
done
S
seen=$(unshare -Urn bash -e inside.sh 2>/dev/null)
echo "$seen"
[[ $seen == "silent: TaskCanceledException after 2 s
queue full: still waiting after 12 s" ]]
