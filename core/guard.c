/* lunet-guard: runs a program that cannot outlive lunet, however lunet ends.
 *
 *   lunet -- lunet-guard -+- a keeper for each stream that is kept
 *                         +- init: process 1 of a process namespace
 *                         `- the program, in that namespace too
 *
 * When lunet dies the kernel kills the guard, with the guard init, and with init everything in its
 * namespace: also what is stopped, and what has made itself a daemon. The guard and init are not in
 * the program's process group, so that what is done to that group does not reach them.
 *
 * Called with the words that platform/guard.h lists, with the environment of the program and with
 * GUARD_REPORTS open. SIGTERM ends it, and all of the program with it. Called with LEFTOVERS_OPTION
 * alone it is the remover (core/remover.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/guard.h"
#include "platform/identity.h"
#include "platform/keeper.h"
#include "platform/leftovers.h"
#include "remover.h"

static void tell(int fd, struct guard_report report) {
  while (write(fd, &report, sizeof report) == -1 && errno == EINTR) continue;
}

static struct guard_report failure(enum guard_report_kind kind) {
  return (struct guard_report){kind, errno};
}

static _Noreturn void fail(int fd, enum guard_report_kind kind) {
  tell(fd, failure(kind));
  _exit(EXIT_FAILURE);
}

/* -- keepers ------------------------------------------------------------------------------- */

enum { STREAMS = 3 };

/* Static: keeper.h calls back without a context, and there is one guard a process. */
static struct {
  pid_t keepers[STREAMS]; /* 0: the stream has none */
  int stream;             /* in a keeper: its stream */
} kept;

static void tell_loss(void) { tell(GUARD_REPORTS, (struct guard_report){GUARD_LOST, kept.stream}); }

static _Noreturn void be_keeper(pid_t guard, int from, int stream) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(EXIT_FAILURE); /* it died before that */
  kept.stream = stream;
  dup2(from, STDIN_FILENO);
  for (int other = STDOUT_FILENO; other < STREAMS; other++)
    if (other != stream) close(other);
  close_range(GUARD_REPORTS + 1, ~0u, 0);
  keeper_run(STDIN_FILENO, stream, tell_loss);
  _exit(EXIT_SUCCESS);
}

/* Puts a keeper between the program and its stream. Returns when the keeper has let go of the other
 * streams: their far ends are to see the program's end. */
static int start_keeper(int stream) {
  int ends[2], ready[2];
  char nothing;
  pid_t guard = getpid();
  if (pipe2(ends, O_CLOEXEC) == -1 || pipe2(ready, O_CLOEXEC) == -1) return -1;
  pid_t keeper = fork();
  if (keeper == 0) be_keeper(guard, ends[0], stream);
  close(ready[1]);
  if (keeper != -1) {
    kept.keepers[stream] = keeper;
    dup2(ends[1], stream);
    while (read(ready[0], &nothing, 1) == -1 && errno == EINTR)
      continue; /* it closes all, also this */
  }
  close(ready[0]);
  close(ends[0]);
  close(ends[1]);
  return keeper == -1 ? -1 : 0;
}

/* To be called before the namespaces are entered: what freezes the program leaves keepers running.
 */
static int start_keepers(const char *streams) {
  for (int stream = 0; stream < STREAMS; stream++) {
    if (streams[stream] == GUARD_STREAM_AS_STDOUT) dup2(STDOUT_FILENO, stream);
    if (streams[stream] == GUARD_STREAM_KEPT && start_keeper(stream) == -1) return -1;
  }
  return 0;
}

/* -- init ---------------------------------------------------------------------------------- */

/* kill(-1) reaches every process of the namespace but init, all at once: none can fork and escape,
 * as it could from a walk through /proc. */
static void carry_out(int requests) {
  struct guard_request r;
  if (recv(requests, &r, sizeof r, MSG_DONTWAIT) != sizeof r) return;
  int error = kill(-1, r.signal) == -1 ? errno : 0;
  tell(requests, (struct guard_report){GUARD_SIGNALED, error});
}

/* The guard alone has the other end of `guard`. */
static _Noreturn void be_init(int guard) {
  char nothing = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGCHLD, SIG_IGN); /* the kernel reaps the orphans that come here */
  dup2(guard, 0);
  dup2(GUARD_REPORTS, 1);
  close_range(2, ~0u, 0);
  send(0, &nothing, 1, 0);
  /* Ends when the guard is dead, which it may have been before prctl: getppid() cannot tell,
   * since a parent outside of the namespace is always 0. */
  struct pollfd sources[] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLIN}};
  while (sources[0].revents == 0) {
    if (poll(sources, 2, -1) == -1) continue;
    if ((sources[1].revents & POLLIN) != 0) carry_out(1);
    if ((sources[1].revents & POLLHUP) != 0) sources[1].fd = -1; /* lunet has closed the process */
  }
  _exit(EXIT_SUCCESS);
}

/* Returns when it has let go of the program's streams: their far ends are to see the program's end.
 */
static pid_t start_init(void) {
  int pair[2];
  char nothing;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) return -1;
  pid_t init = fork();
  if (init == 0) {
    close(pair[0]);
    be_init(pair[1]);
  }
  close(pair[1]);
  while (init != -1 && read(pair[0], &nothing, 1) == -1 && errno == EINTR) continue;
  return init;
}

/* -- the program --------------------------------------------------------------------------- */

/* A /proc of the program's own namespace: by the machine's, the numbers that it knows are those of
 * others. Where that is refused, as in a container that hides a part of /proc, it keeps that one
 * (mount_namespaces(7), user_namespaces(7)). */
static void mount_own_proc(void) {
  if (unshare(CLONE_NEWNS) == -1) return;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) return;
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* By the system call: signal(3) refuses 32 and 33, glibc's own, which its posix_spawn leaves
 * ignored in whatever it starts. */
static void handle_no_signals(void) {
  static const struct {
    void *handler, *restorer;
    unsigned long flags, mask;
  } by_default; /* SIG_DFL */
  for (int number = 1; number < NSIG; number++)
    syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
}

/* As many descriptors as it would have without lunet. The hard limit stays. */
static void limit_descriptors(const char *most) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
  limit.rlim_cur = strtoull(most, NULL, 10);
  setrlimit(RLIMIT_NOFILE, &limit);
}

static _Noreturn void be_program(char **words, int failures) {
  const char *directory = words[GUARD_DIRECTORY], *program = words[GUARD_PROGRAM];
  sigset_t none;
  setsid(); /* a process group of its own; Ctrl-C at lunet's terminal does not reach it */
  handle_no_signals();
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  mount_own_proc();
  if (directory[0] != '\0' && chdir(directory) == -1) fail(failures, GUARD_FAILED_DIRECTORY);
  limit_descriptors(words[GUARD_NOFILE]);
  execvp(program, words + GUARD_PROGRAM);
  fail(failures, GUARD_FAILED_PROGRAM);
}

/* Returns when it has started, or cannot be. */
static struct guard_report start_program(char **words) {
  int failures[2];
  struct guard_report report;
  if (pipe2(failures, O_CLOEXEC) == -1) return failure(GUARD_FAILED_FORK);
  pid_t program = fork();
  if (program == -1) return failure(GUARD_FAILED_FORK);
  if (program == 0) be_program(words, failures[1]);
  close(failures[1]);
  ssize_t length; /* 0: exec has closed the pipe */
  while ((length = read(failures[0], &report, sizeof report)) == -1 && errno == EINTR) continue;
  close(failures[0]);
  return length > 0 ? report : (struct guard_report){GUARD_STARTED, program};
}

/* -- the guard ----------------------------------------------------------------------------- */

/* By trying, not by uid: root may lack the capability, and others may have it. */
static int enter_namespaces(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWPID) == 0) return 0;
  if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWPID) == -1) return -errno;
  return identity_map(uid, gid);
}

/* Returns at SIGTERM. The program is left a zombie: as long as the guard lives, its number, which
 * is its process group's too, is nobody else's. */
static void watch(pid_t program) {
  sigset_t awaited;
  bool has_ended = false;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  while (sigwaitinfo(&awaited, NULL) != SIGTERM) {
    siginfo_t ended = {0};
    if (has_ended || waitid(P_PID, (id_t)program, &ended, WEXITED | WNOHANG | WNOWAIT) == -1)
      continue;
    if (ended.si_pid == 0) continue; /* it was stopped or continued, or it was init */
    has_ended = true;
    int status = ended.si_code == CLD_EXITED ? ended.si_status : -ended.si_status;
    tell(GUARD_REPORTS, (struct guard_report){GUARD_ENDED, status});
  }
}

static void end_all(pid_t init) {
  kill(init, SIGKILL);
  for (int stream = 0; stream < STREAMS; stream++)
    if (kept.keepers[stream] != 0) kill(kept.keepers[stream], SIGKILL);
  while (wait(NULL) != -1 || errno == EINTR) continue;
}

int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], LEFTOVERS_OPTION) == 0) remover_run();
  if (count <= GUARD_PROGRAM) return EXIT_FAILURE;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  fcntl(GUARD_REPORTS, F_SETFD, FD_CLOEXEC);
  close_range(GUARD_REPORTS + 1, ~0u, 0); /* files that a script opened are not close-on-exec */
  if (start_keepers(words[GUARD_STREAMS]) == -1) fail(GUARD_REPORTS, GUARD_FAILED_FORK);
  errno = -enter_namespaces();
  if (errno != 0) fail(GUARD_REPORTS, GUARD_FAILED_NAMESPACES);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* new credentials have cleared what was set before */
  if (getppid() != atoi(words[GUARD_LUNET])) return EXIT_FAILURE; /* lunet died before that */
  pid_t init = start_init();
  if (init == -1) fail(GUARD_REPORTS, GUARD_FAILED_FORK);
  struct guard_report report = start_program(words);
  for (int fd = 0; fd < GUARD_REPORTS; fd++) close(fd); /* else their far ends would stay open */
  tell(GUARD_REPORTS, report);
  if (report.kind == GUARD_STARTED) watch(report.value);
  end_all(init);
  return EXIT_SUCCESS;
}
