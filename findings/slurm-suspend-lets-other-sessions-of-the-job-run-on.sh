#!/bin/bash
# Slurm 22.05.8 (Debian 12, 22.05.8-4+deb12u3): a suspended job runs on for two seconds in all its sessions but one.
#
# Guess: when `scontrol suspend` has returned and squeue says SUSPENDED, the job's processes are stopped. One that is
# resumed at once has been stopped for a moment, all of it.
#
# Seen: slurmstepd sends SIGTSTP to all processes of the job, and SIGSTOP two seconds later. SIGTSTP stops the batch
# script, but no process that has called setsid(2): the kernel discards SIGTSTP in an orphaned process group. Such a
# process goes on for two seconds, while squeue says SUSPENDED; if the job is resumed at once, it does not stop at all,
# though it gets the SIGCONT. (Servers and containers usually have sessions of their own.)
#
# Output: suspended: the script stops at once, its other session after 1.5 to 3 s
#         suspended and resumed at once: the other session never stops
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download slurmctld=22.05.8-4+deb12u3 slurmd=22.05.8-4+deb12u3 slurm-client=22.05.8-4+deb12u3 \
  slurm-wlm-basic-plugins=22.05.8-4+deb12u3 munge=0.5.15-2+deb12u1 libmunge2=0.5.15-2+deb12u1 libhwloc15 libnuma1 \
  liblz4-1 libdbus-1-3 libjson-c5 liblua5.1-0 libyaml-0-2 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
cat >inside.sh <<'S'
root=$PWD/root
libraries=$(echo "$root"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries PATH=$root/usr/sbin:$root/usr/bin:$PATH SLURM_CONF=$PWD/slurm.conf
ip link set lo up
ip address add 10.99.99.1/32 dev lo
umask 022
mkdir -m 700 state
mkdir spool
dd if=/dev/urandom of=key bs=128 count=1 2>/dev/null
chmod 400 key
cat >slurm.conf <<C
ClusterName=c
SlurmctldHost=localhost
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
PluginDir=$libraries/slurm-wlm
AuthInfo=socket=$PWD/munge
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
ProctrackType=proctrack/linuxproc
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=localhost CPUs=1
PartitionName=all Nodes=n1 Default=YES
C
munged -F --force --key-file="$PWD/key" --socket="$PWD/munge" --pid-file="$PWD/munge.pid" --seed-file="$PWD/seed" \
  >munge.txt 2>&1 &
until [[ -S munge ]]; do sleep 0.1; done
slurmctld-wlm -D -f "$SLURM_CONF" >slurmctld.txt 2>&1 &
slurmd-wlm -D -N n1 -f "$SLURM_CONF" -d "$root/usr/sbin/slurmstepd-wlm" >slurmd.txt 2>&1 &
until [[ $(timeout 5 sinfo -h -N -o %T) == idle ]]; do sleep 0.2; done
cat >job.sh <<'J'
#!/bin/bash
export LD_LIBRARY_PATH=
write() { while :; do date +%s.%N >>"$1"; sleep 0.05; done; }
export -f write
setsid bash -c 'write session' &
write script
J
sbatch job.sh >/dev/null
until [[ -s script && -s session ]]; do sleep 0.2; done
sleep 1
date +%s.%N >suspended
scontrol suspend 1
squeue -h -o %T >state.txt
sleep 5
tail -n 1 script session >last
scontrol resume 1
sleep 2
date +%s.%N >quickly
scontrol suspend 1
scontrol resume 1
sleep 4
scancel 1
S
user=()
[[ $(id -u) -eq 0 ]] || user=(--user --map-current-user --keep-caps)
timeout 120 unshare "${user[@]}" --net --pid --fork --kill-child --mount-proc bash -e inside.sh 2>errors.txt

# Seconds from the time in a file to the last line that a process wrote before it was resumed.
until_last() { awk -v s="$(cat suspended)" -v f="$1" '$0 ~ f { getline; print $1 - s }' last; }
# The longest pause of a process after the time in a file.
longest_pause() { awk -v s="$(cat quickly)" '$1 > s && l && $1 - l > m { m = $1 - l } { l = $1 } END { print m + 0 }' session; }
is() { awk -v v="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(v > low && v < high) }'; }

[[ $(cat state.txt) == SUSPENDED ]]
script=$(until_last script) session=$(until_last session)
echo "suspended: the script stops $(is "$script" -1 1 && echo at once || echo "after $script s")," \
  "its other session after $(is "$session" 1.5 3 && echo 1.5 to 3 || echo "$session") s"
pause=$(longest_pause)
echo "suspended and resumed at once: the other session $(is "$pause" -1 1 && echo never stops || echo "stops for $pause s")"
is "$script" -1 1 && is "$session" 1.5 3 && is "$pause" -1 1
