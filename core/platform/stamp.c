#include "platform/stamp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/namespace.h"

static const int64_t longest_ns = 1000000000;

bool stamp_read(struct msghdr *message, int64_t *wall_ns) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    *wall_ns = stamp.tv_sec * (int64_t)1000000000 + stamp.tv_nsec;
    return true;
  }
  return false;
}

static int ask_for_stamps(int fd) {
  int on = 1;
  return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == -1 ? -errno : 0;
}

/* A datagram to itself. 1 if its stamp is from when it was sent, 0 if it is from when it was read,
 * or a negative errno. */
static int try_once(int fd, const struct sockaddr_in *self) {
  union {
    struct cmsghdr header; /* aligns */
    char room[STAMP_ROOM];
  } control;
  struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
  int64_t stamp_ns;
  if (sendto(fd, "", 0, 0, (const struct sockaddr *)self, sizeof *self) == -1) return -errno;
  int64_t sent_ns = clock_wall_now_ns();
  if (recvmsg(fd, &message, 0) == -1) return -errno;
  return stamp_read(&message, &stamp_ns) && stamp_ns <= sent_ns;
}

static int bind_somewhere(int fd, struct sockaddr_in *self) {
  socklen_t size = sizeof *self;
  *self = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr *)self, size) == -1) return -errno;
  return getsockname(fd, (struct sockaddr *)self, &size) == -1 ? -errno : 0;
}

static int wait_until_true(int fd) {
  struct sockaddr_in self;
  int64_t end_ns = clock_wall_now_ns() + longest_ns;
  int result = ask_for_stamps(fd);
  if (result == 0) result = bind_somewhere(fd, &self);
  while (result == 0 && (result = try_once(fd, &self)) == 0) {
    if (clock_wall_now_ns() > end_ns) return -ETIME;
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
  }
  return result < 0 ? result : 0;
}

int stamp_enable(int fd, int ns) {
  int result = ask_for_stamps(fd);
  if (result < 0) return result;
  int probe = namespace_socket(ns, AF_INET, SOCK_DGRAM, 0);
  if (probe < 0) return probe;
  result = wait_until_true(probe);
  close(probe);
  return result;
}
