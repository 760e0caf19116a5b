#!/bin/bash
# Apache 2.4.71 (Debian 12, apache2-bin 2.4.71-1~deb12u1), event MPM, idle: after a graceful restart nobody may be
# served for nearly two seconds.
#
# Guess: a graceful restart never leaves an idle server without a process. Its children end at once, and the parent
# starts as many others at once.
#
# Seen: about every second time all children are gone, and the parent starts one process when its loop has slept twice
# for a second. Until then clients connect, and wait in the listening queue. MinSpareThreads decides how many processes
# follow, not StartServers: here one stays alone.
#
# Output: of 10 restarts N left the next client waiting for over a second, and one process of 3 (N was 4 and 6)
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
cat >"$place/apache2.conf" <<C
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ServerName server
Listen 127.0.0.1:8000
PidFile $place/pid
DefaultRuntimeDir $place
ErrorLog $place/log
DocumentRoot $place
StartServers 3
ServerLimit 3
ThreadsPerChild 5
MaxRequestWorkers 15
MinSpareThreads 5
MaxSpareThreads 15
C
cat >"$place/inside.sh" <<'S'
ip link set lo up
ask() { curl -so /dev/null -w '%{time_total}' --max-time 20 http://127.0.0.1:8000/apache2.conf; }
late=0
for _ in {1..10}; do
  /usr/sbin/apache2 -D FOREGROUND -f "$1/apache2.conf" & server=$!
  for _ in {1..100}; do ask >/dev/null && break; sleep 0.1; done
  sleep 1
  kill -USR1 "$server"
  sleep 0.2
  seconds=$(ask)
  sleep 1
  processes=$(pgrep -c -P "$server")
  if [[ ${seconds%.*} -ge 1 && $processes -eq 1 ]]; then ((++late)); fi
  kill "$server"
  wait "$server" || true
done
echo "of 10 restarts $late left the next client waiting for over a second, and one process of 3"
((late > 0))
S
unshare -Urn bash -e "$place/inside.sh" "$place"
