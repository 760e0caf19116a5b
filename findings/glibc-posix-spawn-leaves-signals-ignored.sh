#!/bin/bash
# glibc 2.36 (Debian 12, libc6 2.36-9+deb12u14): a program that posix_spawn(3) starts ignores signals 32 and 33.
#
# Guess: posix_spawn with POSIX_SPAWN_SETSIGDEF and every signal in the set starts a program as fork(2), signal resets
# and execve(2) do: with no signal ignored (SigIgn 0 in /proc/PID/status).
#
# Seen: SigIgn is 0000000180000000. The library sets its two internal signals (32 cancels threads, 33 changes their
# user) to be ignored in the child, refuses them in the set, and execve(2) keeps what is ignored. signal(3) and
# sigaction(3) refuse both numbers, so a program cannot undo it but by the system call; whoever compares SigIgn of a
# spawned server with that of one from a shell sees two bits that nobody asked for.
#
# Output: fork   SigIgn 0000000000000000
#         spawn  SigIgn 0000000180000000
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download libc6=2.36-9+deb12u14 >/dev/null 2>&1
dpkg-deb -x libc6_*.deb libc
cat >spawn.c <<'C'
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **words) {
  char *show[] = {"sed", "-n", "s/^SigIgn:\\t//p", "/proc/self/status", NULL};
  pid_t child;
  (void)count;
  if (strcmp(words[1], "fork") == 0) {
    if ((child = fork()) == 0) {
      for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
      execv("/bin/sed", show);
    }
  } else {
    posix_spawnattr_t attributes;
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn(&child, "/bin/sed", NULL, &attributes, show, environ);
  }
  return waitpid(child, NULL, 0) == child ? 0 : 1;
}
C
gcc -O1 -o spawn spawn.c
run() { "$(echo libc/lib/*/ld-linux-*.so.2)" --library-path "$(echo libc/lib/*-linux-gnu)" ./spawn "$1"; }
forked=$(run fork) spawned=$(run spawn)
echo "fork   SigIgn $forked"
echo "spawn  SigIgn $spawned"
[[ $forked == 0000000000000000 && $spawned == 0000000180000000 ]]
