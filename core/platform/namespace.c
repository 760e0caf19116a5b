#include "platform/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/identity.h"
#include "platform/undertaker.h"

/* Settings that the kernel derives from the size of the hash table (net/ipv4/tcp_ipv4.c,
 * tcp_set_hashinfo). */
enum { FOLLOWERS = 2 };

/* Static, because namespaces belong to the process and not to a Lua state. */
static struct {
  int home;    /* the home host's namespace; -1 before its first use */
  int machine; /* the machine's namespace, if home is or was that one */
  bool has_moved, must_stay;
  const char *refused; /* the call in which namespace_open failed */
  int mould;           /* the namespace that new hosts start from; -1 before its first use */
  struct {
    const char *path;
    char value[16]; /* the machine's: every host gets it */
  } followers[FOLLOWERS];
} process = {
  .home = -1,
  .machine = -1,
  .mould = -1,
  .followers = {{"/proc/sys/net/ipv4/tcp_max_tw_buckets", ""},
                {"/proc/sys/net/ipv4/tcp_max_syn_backlog", ""}},
};

static int namespace_refused_by(const char *call) {
  process.refused = call;
  return -errno;
}

static int namespace_unshare(int what) {
  return unshare(what) == -1 ? namespace_refused_by("unshare(2)") : 0;
}

static int namespace_current_open(void) {
  int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  return ns == -1 ? namespace_refused_by("/proc") : ns;
}

static int namespace_home_open(void) {
  if (process.home == -1) {
    int ns = namespace_current_open();
    if (ns < 0) return ns;
    process.home = ns;
    if (!process.has_moved) process.machine = ns;
  }
  return 0;
}

static int namespace_loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd == -1) return -errno;
  int result = ioctl(fd, SIOCSIFFLAGS, &request) == -1 ? -errno : 0;
  close(fd);
  return result;
}

/* -- moving into a user namespace ----------------------------------------------------------- */

/* A filter of system calls that refuses setns(2) refuses every argument. The kernel itself would
 * complain of the bad descriptor. */
static int namespace_setns_is_allowed(void) {
  return setns(-1, CLONE_NEWNET) == -1 && errno != EBADF ? namespace_refused_by("setns(2)") : 0;
}

static int namespace_unshare_user(uid_t uid, gid_t gid) {
  /* Fails with EINVAL once a thread exists, so nothing in lunet may start libuv's thread pool. */
  int result = namespace_unshare(CLONE_NEWUSER | CLONE_NEWNET);
  if (result < 0) return result;
  process.has_moved = true;
  result = identity_map(uid, gid);
  if (result < 0) process.refused = "/proc/self/uid_map";
  if (result == 0) result = namespace_loopback_up();
  if (result < 0 && process.refused == NULL) process.refused = "the loopback";
  return result;
}

/* The result that a child leaves in a page that it shares with this process. */
struct attempt {
  int result;
  const char *refused;
};

/* Also tries the steps after the move. Some machines let a process make a user namespace but give
 * it no power there (AppArmor, as Ubuntu 24.04 configures it). */
static void namespace_attempt_in_child(struct attempt *a, uid_t uid, gid_t gid) {
  a->result = namespace_unshare_user(uid, gid);
  if (a->result == 0) a->result = namespace_unshare(CLONE_NEWNET);
  a->refused = process.refused;
  _exit(EXIT_SUCCESS);
}

/* Nothing undoes a move, so a child tries it first. 0 or a negative errno. */
static int namespace_attempt(uid_t uid, gid_t gid) {
  struct attempt *a =
    mmap(NULL, sizeof *a, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (a == MAP_FAILED) return -errno;
  *a = (struct attempt){-ECHILD, "fork(2)"};
  pid_t child = fork();
  if (child == 0) namespace_attempt_in_child(a, uid, gid);
  if (child != -1) TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
  int result = a->result;
  if (result < 0) process.refused = a->refused;
  munmap(a, sizeof *a);
  return result;
}

static int namespace_move(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  process.refused = process.must_stay ? "--machine" : identity_can_map(uid) ? NULL : "CAP_SETFCAP";
  int result = process.refused == NULL ? namespace_attempt(uid, gid) : -EPERM;
  if (result == 0) result = namespace_unshare_user(uid, gid);
  if (result < 0) return result;
  close(process.home);
  process.home = process.machine = -1;
  return namespace_home_open();
}

/* Tries, instead of asking for the uid: root may lack the capability, and other users may have it.
 * Enters home first, to see whether the process could come back. In a rootless container on its
 * host's network it could not: its capability does not reach the machine's namespace. */
static int namespace_unshare_network(void) {
  int result = namespace_setns_is_allowed();
  if (result < 0) return result;
  result = namespace_enter(process.home);
  if (result < 0) process.refused = "setns(2)";
  if (result == 0) result = namespace_unshare(CLONE_NEWNET);
  if (result != -EPERM || process.has_moved) return result;
  result = namespace_move();
  return result < 0 ? result : namespace_unshare(CLONE_NEWNET);
}

/* -- the mould ----------------------------------------------------------------------------- */

/* Entries; namespace.h says why. */
static const char table_size[] = "4096";

/* Linux before 6.1 has no such tables. The mould then changes nothing. */
static int namespace_mould_open(void) {
  int result = namespace_unshare_network();
  if (result < 0) return result;
  struct file_folder folder = {0};
  process.mould = namespace_current_open();
  for (int i = 0; i < FOLLOWERS; i++)
    file_read_in(&folder, process.followers[i].path, process.followers[i].value,
                 sizeof process.followers[i].value);
  file_write_in(&folder, "/proc/sys/net/ipv4/tcp_child_ehash_entries", table_size);
  file_leave(&folder);
  namespace_leave();
  return process.mould < 0 ? process.mould : 0;
}

/* Leaves the process there. */
static int namespace_make(int mould) {
  if (setns(mould, CLONE_NEWNET) == -1) return -errno;
  int result = namespace_unshare(CLONE_NEWNET);
  if (result < 0) return result;
  int ns = namespace_current_open();
  if (ns < 0) return ns;
  struct file_folder folder = {0};
  result = namespace_loopback_up();
  if (result == -EPERM) process.refused = "the loopback";
  for (int i = 0; i < FOLLOWERS; i++)
    file_write_in(&folder, process.followers[i].path, process.followers[i].value);
  file_leave(&folder);
  if (result < 0) close(ns);
  return result < 0 ? result : ns;
}

static int namespace_make_own(void) {
  int result = namespace_home_open();
  if (result == 0 && process.mould < 0) result = namespace_mould_open();
  if (result < 0) return result;
  int ns = namespace_make(process.mould);
  namespace_leave();
  if (ns >= 0) undertaker_add(ns, process.mould, namespace_make);
  return ns;
}

/* If lunet may have no more namespaces, the undertaker may have taken the last one for a spare. */
int namespace_open(void) {
  process.refused = NULL;
  int ns = undertaker_take_spare(false);
  if (ns < 0) ns = namespace_make_own();
  if (ns != -ENOSPC) return ns;
  int spare = undertaker_take_spare(true);
  return spare >= 0 ? spare : ns;
}

const char *namespace_refused(void) { return process.refused; }

void namespace_close(int ns) {
  undertaker_forget(ns);
  close(ns);
}

void namespace_stay(bool must) { process.must_stay = must; }

int namespace_enter(int ns) {
  int result = namespace_home_open();
  if (result < 0) return result;
  return setns(ns, CLONE_NEWNET) == -1 ? -errno : 0;
}

void namespace_leave(void) {
  enum { COULD_NOT_RUN = 3 }; /* an exit status of the program */
  if (setns(process.home, CLONE_NEWNET) == 0) return;
  /* Every later socket would be on the wrong host. */
  dprintf(STDERR_FILENO, "lunet: cannot come back from a host: setns(2) is refused now (%s)\n",
          strerror(errno));
  _exit(COULD_NOT_RUN);
}

int namespace_socket(int ns, int family, int type, int protocol) {
  int result = namespace_enter(ns);
  if (result < 0) return result;
  int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  result = fd == -1 ? -errno : fd;
  namespace_leave();
  return result;
}

int namespace_own_home(void) {
  int result = namespace_home_open();
  if (result < 0) return result;
  return process.home == process.machine ? -EPERM : process.home;
}

/* Copies the descriptor, so that the process can still come home after the host has closed. */
int namespace_set_home(int ns) {
  int copy = fcntl(ns, F_DUPFD_CLOEXEC, 0);
  int result = copy == -1 ? -errno : namespace_enter(copy);
  if (result < 0) {
    if (copy != -1) close(copy);
    return result;
  }
  int before = process.home;
  process.home = copy;
  return before;
}

int namespace_restore_home(int before) {
  int result = namespace_enter(before);
  if (result < 0) return result;
  close(process.home);
  process.home = before;
  return 0;
}
