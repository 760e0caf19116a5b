#!/bin/bash
# Slurm 22.05.8 (Debian 12, 22.05.8-4+deb12u3): scontrol names an output file that is not there.
#
# Guess: `scontrol show job` says StdOut=FILE, and FILE has the job's output. A backslash in sbatch's --output only means
# that % is not replaced (sbatch(1), "filename pattern").
#
# Seen: sbatch -o 'a\b.out' writes ab.out, and scontrol says a\b.out. So a job whose --output is in a directory with a
# backslash in its name fails before it begins (JobLaunchFailure), with no output anywhere. With '%%j.out' the file is
# %j.out, as it should be, and scontrol says %2.out: it replaces twice.
#
# Output: a\b.out: COMPLETED, scontrol says a\b.out, the output is in ab.out
#         %%j.out: COMPLETED, scontrol says %2.out, the output is in %j.out
#         %j\c.out: COMPLETED, scontrol says 3\c.out, the output is in %jc.out
#         d\e/f.out: FAILED, scontrol says d\e/f.out, the output is nowhere
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
#!/bin/sh
echo "written by $SLURM_JOB_ID"
J
mkdir -p 'out/d\e'
number=0
while read -r pattern; do
  number=$((number + 1))
  sbatch -D "$PWD/out" -o "$PWD/out/$pattern" job.sh >/dev/null
  until [[ $(scontrol show job $number) =~ JobState=(COMPLETED|FAILED) ]]; do sleep 0.2; done
  scontrol show job $number >job.txt
  file=$(cd out && grep -rlx "written by $number" . || true)
  [[ -n $file ]] && where="in ${file#./}" || where=nowhere
  scontrol=$(sed -n "s|^ *StdOut=$PWD/out/||p" job.txt)
  echo "$pattern: ${BASH_REMATCH[1]}, scontrol says $scontrol, the output is $where"
done <<'P' >seen.txt
a\b.out
%%j.out
%j\c.out
d\e/f.out
P
S
user=()
[[ $(id -u) -eq 0 ]] || user=(--user --map-current-user --keep-caps)
timeout 120 unshare "${user[@]}" --net --pid --fork --kill-child --mount-proc bash -e inside.sh 2>errors.txt
cat seen.txt
diff seen.txt - <<'P' >/dev/null
a\b.out: COMPLETED, scontrol says a\b.out, the output is in ab.out
%%j.out: COMPLETED, scontrol says %2.out, the output is in %j.out
%j\c.out: COMPLETED, scontrol says 3\c.out, the output is in %jc.out
d\e/f.out: FAILED, scontrol says d\e/f.out, the output is nowhere
P
