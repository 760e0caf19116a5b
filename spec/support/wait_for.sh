# For slurm.sh and two_sshd.sh, which set `logs` to the directory of their programs' logs.
# shellcheck shell=bash

# wait_for COMMAND...: until it is true. Ends the script after 200 s: on a quiet machine the longest wait takes 20.
wait_for() {
  local end=$((SECONDS + 200))
  until "$@"; do
    if ((SECONDS >= end)); then
      echo "wait_for: not in time: $*" >&2
      tail -n 30 "${logs:?}"/* >&2
      exit 1
    fi
    sleep 0.2
  done
}
