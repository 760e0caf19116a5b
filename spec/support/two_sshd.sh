#!/bin/bash
# two_sshd.sh DIRECTORY SCRIPT: two SSH servers on this machine, from nothing, on a network of their own, with keys and
# settings in DIRECTORY/ssh. Root only: sshd(8) asks for /run/sshd. It runs the script in DIRECTORY, with the functions
# below; `ssh -F ssh/config h1` and h2 reach the servers. Its exit status is the script's. It leaves no process, and
# nothing outside of the directory.
#
# Each server is a process namespace: to kill its first process ends its sessions and all that they run.
set -euo pipefail

if [[ -z ${TWO_SSHD_IS_INSIDE-} ]]; then
  exec env TWO_SSHD_IS_INSIDE=yes HOME="$1" unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" "$@"
fi
unset TWO_SSHD_IS_INSIDE

directory=$(realpath "$1")
script=$(realpath "$2")
umask 077
logs=$directory/ssh/log
mkdir -p "$logs"
# shellcheck source=spec/support/wait_for.sh
. "$(dirname "$0")/wait_for.sh"
cd "$directory/ssh"
mount -t tmpfs none /run # in this mount namespace
mkdir -m 755 /run/sshd
# A shell that sshd starts reads its user's file. What that does would be slow, or be killed in its midst.
home=$(getent passwd "$(id -u)" | cut -d: -f6)
for file in .bashrc .zshenv; do
  [[ ! -e $home/$file ]] || mount --bind /dev/null "$home/$file"
done
ip link set lo up

ssh-keygen -q -t ed25519 -N '' -C '' -f user
cp user.pub authorized
: >known

configure() {
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$1"
  echo "[127.0.0.1]:$2 $(cat "$1.pub")" >>known
  cat >"$1.conf" <<CONF
ListenAddress 127.0.0.1:$2
HostKey $PWD/$1
AuthorizedKeysFile $PWD/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
SetEnv TMPDIR=$directory
CONF
  cat >>config <<CONF
Host $1
  HostName 127.0.0.1
  Port $2
  User $(id -un)
  IdentityFile $PWD/user
  IdentitiesOnly yes
  UserKnownHostsFile $PWD/known
  BatchMode yes
  ConnectTimeout 5
CONF
}

# -- for scripts ------------------------------------------------------------------------------

declare -A servers

start_server() {
  unshare --pid --fork --kill-child --mount-proc "$(command -v sshd)" -D -e -f "$directory/ssh/$1.conf" \
    >>"$logs/$1" 2>&1 &
  servers[$1]=$!
  disown # or bash tells of its death
  wait_for ssh -F "$directory/ssh/config" "$1" true
}

# Ends the server, its sessions, and what they run.
kill_server() { kill -9 "${servers[$1]}"; }

# -- the servers ------------------------------------------------------------------------------

configure h1 2201
configure h2 2202
start_server h1 2>"$logs/start"
start_server h2 2>"$logs/start"

cd "$directory"
umask 022
# shellcheck source=/dev/null
. "$script"
