#!/bin/bash
# slurm.sh DIRECTORY SCRIPT: a Slurm of one controller and two nodes, n1 and n2, from nothing, on a network of its own.
# It runs as an ordinary user; root runs it as nobody, who then owns the directory. When both nodes are idle, it runs the
# script in the directory, with Slurm's commands and the functions below. Its exit status is the script's. It leaves no
# process, and nothing outside of the directory.
#
# Each node is a process namespace: to kill its first process is what a power cut is to a real node.
set -euo pipefail

if [[ -z ${SLURM_IS_INSIDE-} ]]; then
  as_user=()
  if [[ $(id -u) -eq 0 ]]; then
    chown -R nobody:nogroup "$1"
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  fi
  exec "${as_user[@]}" env -u LUA_INIT SLURM_IS_INSIDE=yes HOME="$1" TMPDIR="$1" unshare --user --map-current-user \
    --keep-caps --net --pid --fork --kill-child --mount-proc bash "$0" "$@"
fi
unset SLURM_IS_INSIDE

directory=$(realpath "$1")
script=$(realpath "$2")
cluster=$directory/cluster
logs=$cluster/log
# shellcheck source=spec/support/wait_for.sh
. "$(dirname "$0")/wait_for.sh"

# Slurm asks for `localhost` by AI_ADDRCONFIG, and glibc finds it only where an address besides 127.0.0.1 is up.
ip link set lo up
ip address add 10.99.99.1/32 dev lo
# The capabilities were for ip(8) and mount(8). Jobs must have the rights of their user, and no others.
drop=(setpriv --inh-caps=-all --ambient-caps=-all)

umask 022
mkdir -p "$cluster"/{etc,state,log,run,spool.n1,spool.n2}
chmod 700 "$cluster/state"
dd if=/dev/urandom of="$cluster/etc/munge.key" bs=128 count=1 2>/dev/null
chmod 400 "$cluster/etc/munge.key"
export SLURM_CONF=$cluster/etc/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=lunet
SlurmctldHost=localhost
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$cluster/run/munge.sock
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool.%n
SlurmctldPidFile=$cluster/run/slurmctld.pid
SlurmdPidFile=$cluster/run/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
KillWait=3
ReturnToService=2
NodeName=n1 NodeHostname=localhost Port=17001 CPUs=2
NodeName=n2 NodeHostname=localhost Port=17002 CPUs=2
PartitionName=all Nodes=n1,n2 Default=YES
CONF

# -- for scripts ------------------------------------------------------------------------------

has_idle_nodes() { [[ $(timeout 5 sinfo -h -N -o %T | grep -cx idle) == "$1" ]]; }
is_down() { [[ $(timeout 5 sinfo -h -N -n "$1" -o %T) == down* ]]; }
has_no_jobs() { local jobs && jobs=$(timeout 5 squeue -h) && [[ -z $jobs ]]; }

declare -A nodes

# The first process of a node, a shell, reaps what jobs leave. SIGUSR1 makes it kill slurmd.
start_node() {
  # shellcheck disable=SC2016 # that shell expands them
  unshare --pid --fork --kill-child --mount-proc "${drop[@]}" bash -c '
    slurmd -D -N "$0" -f "$SLURM_CONF" &
    trap "kill -9 $!" USR1
    while :; do sleep 1000 & wait $!; done' "$1" >>"$cluster/log/$1.out" 2>&1 &
  nodes[$1]=$!
  disown # or bash tells of its death
}

# Ends all that runs on the node at once.
kill_node() { kill -9 "${nodes[$1]}"; }

# Ends the node's slurmd; its jobs go on.
lose_slurmd() { kill -USR1 "$(tr -d ' ' <"/proc/${nodes[$1]}/task/${nodes[$1]}/children")"; }

# hurried COMMAND...: Slurm runs the jobs of a dead node again, two minutes later. This lets them begin now. A job that
# begins by itself at this moment refuses that.
hurried() {
  local job
  for job in $(timeout 5 squeue -h -r -t PENDING -o %i); do
    timeout 5 scontrol update jobid="$job" starttime=now || true
  done
  "$@"
}

log_all() {
  timeout 5 sinfo -N -l
  timeout 5 scontrol show job
}

# -- the daemons ------------------------------------------------------------------------------

"${drop[@]}" munged -F --force --key-file="$cluster/etc/munge.key" --socket="$cluster/run/munge.sock" \
  --pid-file="$cluster/run/munged.pid" --seed-file="$cluster/run/munged.seed" >"$cluster/log/munged.out" 2>&1 &
wait_for test -S "$cluster/run/munge.sock"
"${drop[@]}" slurmctld -D -f "$SLURM_CONF" >"$cluster/log/slurmctld.out" 2>&1 &
start_node n1
start_node n2
wait_for has_idle_nodes 2

cd "$directory"
# shellcheck source=/dev/null
. "$script"
