/* lunet-guard: runs a program that cannot outlive lunet, however lunet ends.
 *
 *   lunet -- lunet-guard -+- a keeper for each stream that is kept
 *                         +- init: process 1 of a process namespace
 *                         `- the program, in that namespace too
 *
 * When lunet dies, the kernel kills the guard; then init, since the guard was its parent; then
 * every process of init's namespace, even stopped ones and daemons. With a grace, init kills the
 * program when the guard hangs up, and ends when nothing else runs or the grace is over. The guard
 * and init are outside the program's process group, so a signal to that group does not reach them.
 *
 * lunet calls the guard with the words that platform/guard.h lists, with the program's environment
 * and with GUARD_REPORTS open. SIGTERM ends the guard and every process of the program. With
 * LEFTOVERS_OPTION as its only word, lunet-guard is the remover (core/remover.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/guard.h"
#include "platform/identity.h"
#include "platform/keeper.h"
#include "platform/leftovers.h"
#include "remover.h"

static void guard_tell(int fd, struct guard_report report) {
  while (write(fd, &report, sizeof report) == -1 && errno == EINTR) continue;
}

static struct guard_report guard_failure(enum guard_report_kind kind) {
  return (struct guard_report){kind, errno};
}

static _Noreturn void guard_fail(int fd, enum guard_report_kind kind) {
  guard_tell(fd, guard_failure(kind));
  _exit(EXIT_FAILURE);
}

/* -- keepers ------------------------------------------------------------------------------- */

enum { STREAMS = 3 };

/* Static, since keeper.h calls back without a context; each process is one guard or one keeper. */
static struct {
  pid_t keepers[STREAMS]; /* 0: the stream has no keeper */
  int stream;             /* in a keeper: the stream that it keeps */
} kept;

static void guard_tell_loss(void) {
  guard_tell(GUARD_REPORTS, (struct guard_report){GUARD_LOST, kept.stream});
}

static _Noreturn void guard_run_keeper(pid_t guard, int from, int stream) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(EXIT_FAILURE); /* the guard died before prctl */
  kept.stream = stream;
  dup2(from, STDIN_FILENO);
  for (int other = STDOUT_FILENO; other < STREAMS; other++)
    if (other != stream) close(other);
  close_range(GUARD_REPORTS + 1, ~0u, 0);
  keeper_run(STDIN_FILENO, stream, guard_tell_loss);
  _exit(EXIT_SUCCESS);
}

/* Puts a keeper between the program and its stream. Returns when the keeper has closed the other
 * streams: their readers must see an end of file when the program ends. */
static int guard_start_keeper(int stream) {
  int ends[2], ready[2];
  char nothing;
  pid_t guard = getpid();
  if (pipe2(ends, O_CLOEXEC) == -1 || pipe2(ready, O_CLOEXEC) == -1) return -1;
  pid_t keeper = fork();
  if (keeper == 0) guard_run_keeper(guard, ends[0], stream);
  close(ready[1]);
  if (keeper != -1) {
    kept.keepers[stream] = keeper;
    dup2(ends[1], stream);
    while (read(ready[0], &nothing, 1) == -1 && errno == EINTR)
      continue; /* the keeper closes its end after the streams */
  }
  close(ready[0]);
  close(ends[0]);
  close(ends[1]);
  return keeper == -1 ? -1 : 0;
}

/* Call before entering the namespaces: a freeze of the program's namespace must spare keepers. */
static int guard_start_keepers(const char *streams) {
  for (int stream = 0; stream < STREAMS; stream++) {
    if (streams[stream] == GUARD_STREAM_AS_STDOUT) dup2(STDOUT_FILENO, stream);
    if (streams[stream] == GUARD_STREAM_KEPT && guard_start_keeper(stream) == -1) return -1;
  }
  return 0;
}

/* -- init ---------------------------------------------------------------------------------- */

/* kill(-1) signals every process of the namespace except init in one call, so no process can escape
 * by a fork. From a walk through /proc it could. */
static void guard_signal_program(int requests) {
  struct guard_request r;
  if (recv(requests, &r, sizeof r, MSG_DONTWAIT) != sizeof r) return;
  int error = kill(-1, r.signal) == -1 ? errno : 0;
  guard_tell(requests, (struct guard_report){GUARD_SIGNALED, error});
}

enum { NUMBER_OF_PROGRAM = 2 }; /* in the namespace, where init is 1 and starts nothing */

/* Init waits for the orphans that it inherits, so that their processor time becomes init's
 * children's. If SIGCHLD were ignored, it would be lost. */
static void guard_reap_orphans(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

/* Returns a descriptor, or -1: then the kernel reaps the orphans. */
static int guard_watch_orphans(void) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  int fd = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd == -1) signal(SIGCHLD, SIG_IGN);
  return fd;
}

static void guard_take_orphans(int fd) {
  struct signalfd_siginfo end;
  if (read(fd, &end, sizeof end) == sizeof end) guard_reap_orphans();
}

static void guard_let_end(int grace_ms) {
  const struct timespec step = {.tv_nsec = 5 * 1000 * 1000};
  kill(NUMBER_OF_PROGRAM, SIGKILL);
  for (int ms = 0; ms < grace_ms && kill(-1, 0) == 0; ms += 5) {
    nanosleep(&step, NULL);
    guard_reap_orphans(); /* to kill(2) a zombie is there, too */
  }
}

/* Only the guard holds the other end of `guard`. */
static _Noreturn void guard_run_init(int guard, int grace_ms) {
  char nothing = 0;
  if (grace_ms == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(guard, 0);
  dup2(GUARD_REPORTS, 1);
  close_range(2, ~0u, 0);
  send(0, &nothing, 1, 0);
  /* The guard's death hangs up its end. It may have died before prctl, but getppid() cannot tell:
   * it returns 0 for any parent outside the namespace. */
  struct pollfd sources[] = {{.fd = 0, .events = POLLIN},
                             {.fd = 1, .events = POLLIN},
                             {.fd = guard_watch_orphans(), .events = POLLIN}};
  while (sources[0].revents == 0) {
    if (poll(sources, 3, -1) == -1) continue;
    if (sources[2].revents != 0) guard_take_orphans(sources[2].fd);
    if ((sources[1].revents & POLLIN) != 0) guard_signal_program(1);
    if ((sources[1].revents & POLLHUP) != 0)
      sources[1].fd = -1; /* the script has closed the process */
  }
  guard_let_end(grace_ms);
  _exit(EXIT_SUCCESS);
}

/* Returns when init has closed the program's streams: their readers must see an end of file when
 * the program ends. */
static pid_t guard_start_init(int grace_ms, int *hang_up) {
  int pair[2];
  char nothing;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) return -1;
  pid_t init = fork();
  if (init == 0) {
    close(pair[0]);
    guard_run_init(pair[1], grace_ms);
  }
  close(pair[1]);
  while (init != -1 && read(pair[0], &nothing, 1) == -1 && errno == EINTR) continue;
  *hang_up = pair[0];
  return init;
}

/* -- the program --------------------------------------------------------------------------- */

/* Mounts a /proc for the program's process namespace. In the machine's /proc the program's own
 * process numbers would name other processes. A container that hides a part of its /proc refuses
 * the mount (mount_namespaces(7), user_namespaces(7)); the program then keeps the machine's. */
static void guard_mount_proc(void) {
  if (unshare(CLONE_NEWNS) == -1) return;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) return;
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Gives every signal its default action. Uses the system call, because signal(3) refuses 32 and
 * 33: glibc reserves these, and its posix_spawn leaves them ignored in the processes it starts. */
static void guard_reset_signals(void) {
  static const struct {
    void *handler, *restorer;
    unsigned long flags, mask;
  } by_default; /* SIG_DFL */
  for (int number = 1; number < NSIG; number++)
    syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
}

/* Sets the soft limit that the program would have without lunet. The hard limit stays. */
static void guard_limit_descriptors(const char *most) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
  limit.rlim_cur = strtoull(most, NULL, 10);
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int guard_set_limits(char *limits) {
  while (*limits != '\0') {
    int resource = (int)strtol(limits, &limits, 10);
    rlim_t value = strtoull(limits + 1, &limits, 10); /* -1 is RLIM_INFINITY */
    if (setrlimit((__rlimit_resource_t)resource, &(struct rlimit){value, value}) == -1) return -1;
    limits++;
  }
  return 0;
}

/* Moves them down by one, to 3 and so on, over this process's end of the reports. The variables are
 * those of systemd's socket activation (sd_listen_fds(3)). */
static int guard_pass_descriptors(int count) {
  char fds[16], pid[16];
  if (count == 0) return 0;
  for (int fd = GUARD_REPORTS; fd < GUARD_REPORTS + count; fd++)
    if (dup2(fd + 1, fd) == -1) return -1;
  close(GUARD_REPORTS + count);
  snprintf(fds, sizeof fds, "%d", count);
  snprintf(pid, sizeof pid, "%d", (int)getpid()); /* as the program sees it */
  return setenv("LISTEN_FDS", fds, 1) == -1 ? -1 : setenv("LISTEN_PID", pid, 1);
}

static _Noreturn void guard_run_program(char **words, int failures) {
  const char *directory = words[GUARD_DIRECTORY], *program = words[GUARD_PROGRAM];
  sigset_t none;
  setsid(); /* a new session: Ctrl-C at lunet's terminal does not reach it */
  guard_reset_signals();
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  guard_mount_proc();
  if (guard_pass_descriptors(atoi(words[GUARD_FDS])) == -1)
    guard_fail(failures, GUARD_FAILED_DESCRIPTORS);
  if (directory[0] != '\0' && chdir(directory) == -1) guard_fail(failures, GUARD_FAILED_DIRECTORY);
  guard_limit_descriptors(words[GUARD_NOFILE]);
  if (guard_set_limits(words[GUARD_LIMITS]) == -1) guard_fail(failures, GUARD_FAILED_LIMITS);
  execvp(program, words + GUARD_PROGRAM);
  guard_fail(failures, GUARD_FAILED_PROGRAM);
}

/* Returns when the program has started, or has failed to. */
static struct guard_report guard_start_program(char **words) {
  int failures[2];
  struct guard_report report;
  if (pipe2(failures, O_CLOEXEC) == -1) return guard_failure(GUARD_FAILED_FORK);
  pid_t program = fork();
  if (program == -1) return guard_failure(GUARD_FAILED_FORK);
  if (program == 0) guard_run_program(words, failures[1]);
  close(failures[1]);
  ssize_t length; /* 0: exec has closed the pipe */
  while ((length = read(failures[0], &report, sizeof report)) == -1 && errno == EINTR) continue;
  close(failures[0]);
  return length > 0 ? report : (struct guard_report){GUARD_STARTED, program};
}

/* -- the guard ----------------------------------------------------------------------------- */

/* Tries without a user namespace first, whatever the uid: root may lack the capability, and other
 * users may have it. */
static int guard_enter_namespaces(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWPID) == 0) return 0;
  if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWPID) == -1) return -errno;
  return identity_map(uid, gid);
}

/* Returns at SIGTERM. Leaves the ended program a zombie: while the guard lives, no other process or
 * process group can get the program's number. */
static void guard_watch(pid_t program) {
  sigset_t awaited;
  bool has_ended = false;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  while (sigwaitinfo(&awaited, NULL) != SIGTERM) {
    siginfo_t ended = {0};
    if (has_ended || waitid(P_PID, (id_t)program, &ended, WEXITED | WNOHANG | WNOWAIT) == -1)
      continue;
    if (ended.si_pid == 0) continue; /* the program stopped or continued, or init ended */
    has_ended = true;
    int status = ended.si_code == CLD_EXITED ? ended.si_status : -ended.si_status;
    guard_tell(GUARD_REPORTS, (struct guard_report){GUARD_ENDED, status});
  }
}

/* Without a grace init is killed, since it may be stopped. */
static void guard_end_all(pid_t init, int hang_up, int grace_ms) {
  if (grace_ms == 0) kill(init, SIGKILL);
  close(hang_up);
  for (int stream = 0; stream < STREAMS; stream++)
    if (kept.keepers[stream] != 0) kill(kept.keepers[stream], SIGKILL);
  while (wait(NULL) != -1 || errno == EINTR) continue;
}

/* From the namespaces on it ends by _exit: at exit(3) a sanitizer forks, and its child would be
 * process 1 of the namespace, or could not be made in one that has ended. */
int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], LEFTOVERS_OPTION) == 0) remover_run();
  if (count <= GUARD_PROGRAM) return EXIT_FAILURE;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  fcntl(GUARD_REPORTS, F_SETFD, FD_CLOEXEC);
  unsigned last = GUARD_REPORTS + (unsigned)atoi(words[GUARD_FDS]);
  close_range(last + 1, ~0u, 0); /* a script's own files are not close-on-exec */
  if (guard_start_keepers(words[GUARD_STREAMS]) == -1) guard_fail(GUARD_REPORTS, GUARD_FAILED_FORK);
  errno = -guard_enter_namespaces();
  if (errno != 0) guard_fail(GUARD_REPORTS, GUARD_FAILED_NAMESPACES);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* new credentials cleared the earlier setting */
  if (getppid() != atoi(words[GUARD_LUNET])) _exit(EXIT_FAILURE); /* lunet died before prctl */
  int hang_up, grace_ms = atoi(words[GUARD_GRACE]);
  pid_t init = guard_start_init(grace_ms, &hang_up);
  if (init == -1) guard_fail(GUARD_REPORTS, GUARD_FAILED_FORK);
  struct guard_report report = guard_start_program(words);
  for (unsigned fd = 0; fd <= last; fd++) /* else their readers would see no end */
    if (fd != GUARD_REPORTS) close((int)fd);
  guard_tell(GUARD_REPORTS, report);
  if (report.kind == GUARD_STARTED) guard_watch(report.value);
  guard_end_all(init, hang_up, grace_ms);
  _exit(EXIT_SUCCESS);
}
