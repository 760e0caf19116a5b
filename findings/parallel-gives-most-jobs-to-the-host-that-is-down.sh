#!/bin/bash
# GNU parallel 20221122 (Debian 12, parallel 20221122+ds-2): the host that is down gets nearly all of the jobs.
#
# Guess: `parallel --sshlogin` over two hosts, one of which refuses every connection, does all jobs on the other one, or
# a half of them, as each host has as many slots as the other.
#
# Seen: of 40 jobs of a second each, fewer than 10 are done; the others end with 255 (ssh's "Connection refused") at the
# host that is down. It fails in milliseconds, so its slots are always the free ones. parallel does not leave a host out
# that fails (--filter-hosts asks only in the beginning). With --retries 2 all 40 are done: a job that has failed is
# tried on another host. --joblog then does not tell that anything failed: it has only the last try of a job.
#
# Output: plain: fewer than 10 of 40 done
#         --retries 2: 40 of 40 done, 0 failures in the log
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download parallel=20221122+ds-2 openssh-client >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
export HOME=$place PATH=$place/root/usr/bin:$PATH

# spread LOG [OPTION...]: 40 jobs over this machine and a port that refuses connections.
spread() {
  local log=$1
  shift
  seq 40 | timeout 120 parallel --will-cite --joblog "$log" "$@" --sshlogin "2/:" \
    --sshlogin "2/ssh -p 9 -o BatchMode=yes 127.0.0.1" 'sleep 1; true' >/dev/null 2>"$log.errors" || true
}
count() { awk -F '\t' -v status="$2" 'NR > 1 && $7 == status { n++ } END { print n + 0 }' "$1"; }

spread plain
spread again --retries 2
grep -q "Connection refused" plain.errors again.errors
done=$(count plain 0)
echo "plain: $( ((done < 10)) && echo "fewer than 10" || echo "$done") of 40 done"
echo "--retries 2: $(count again 0) of 40 done, $(count again 255) failures in the log"
((done < 10)) && [[ $(count plain 255) -eq $((40 - done)) && $(count again 0) -eq 40 && $(count again 255) -eq 0 ]]
