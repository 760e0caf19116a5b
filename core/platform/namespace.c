#include "platform/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Facts about the process, not about a Lua state: so static. */
static int home = -1; /* the home host's namespace; -1 until it is needed */
static bool has_moved, must_stay;

static int current_open(void) {
  int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  return ns == -1 ? -errno : ns;
}

static int home_open(void) {
  if (home == -1) {
    int ns = current_open();
    if (ns < 0) return ns;
    home = ns;
  }
  return 0;
}

static int loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd == -1) return -errno;
  int result = ioctl(fd, SIOCSIFFLAGS, &request) == -1 ? -errno : 0;
  close(fd);
  return result;
}

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd == -1) return -errno;
  ssize_t written = write(fd, text, strlen(text));
  int result = written == -1 ? -errno : 0;
  close(fd);
  return result;
}

/* The identity map: programs go on running as the user, and files stay the user's. */
static int map_identity(uid_t uid, gid_t gid) {
  char line[64];
  snprintf(line, sizeof line, "%u %u 1", (unsigned)uid, (unsigned)uid);
  int result = write_file("/proc/self/uid_map", line);
  if (result == 0) result = write_file("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "%u %u 1", (unsigned)gid, (unsigned)gid);
  return result < 0 ? result : write_file("/proc/self/gid_map", line);
}

static int move(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (must_stay) return -EPERM;
  /* Fails with EINVAL once a thread exists: nothing in lunet may start libuv's pool. */
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1) return -errno;
  has_moved = true;
  int result = map_identity(uid, gid);
  if (result == 0) result = loopback_up();
  if (result < 0) return result;
  close(home);
  home = -1;
  return home_open();
}

/* By trying, not by uid: root may lack the capability, and others may have it. */
static int unshare_network(void) {
  if (unshare(CLONE_NEWNET) == 0) return 0;
  int result = -errno;
  if (result != -EPERM || has_moved) return result;
  result = move();
  if (result < 0) return result;
  return unshare(CLONE_NEWNET) == -1 ? -errno : 0;
}

int namespace_open(void) {
  int result = home_open();
  if (result == 0) result = unshare_network();
  if (result < 0) return result;
  int ns = current_open();
  result = loopback_up();
  namespace_leave();
  if (ns < 0 || result == 0) return ns;
  close(ns);
  return result;
}

void namespace_close(int ns) { close(ns); }

void namespace_stay(void) { must_stay = true; }
bool namespace_has_moved(void) { return has_moved; }

int namespace_enter(int ns) {
  int result = home_open();
  if (result < 0) return result;
  return setns(ns, CLONE_NEWNET) == -1 ? -errno : 0;
}

void namespace_leave(void) {
  if (setns(home, CLONE_NEWNET) == -1) abort(); /* every later socket would lie about its host */
}

int namespace_socket(int ns, int family, int type, int protocol) {
  int result = namespace_enter(ns);
  if (result < 0) return result;
  int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  result = fd == -1 ? -errno : fd;
  namespace_leave();
  return result;
}

int namespace_set_home(int ns) {
  int result = namespace_enter(ns);
  if (result < 0) return result;
  int before = home;
  home = ns;
  return before;
}
