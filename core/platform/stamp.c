#include "platform/stamp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/namespace.h"
#include "platform/socket.h"

static int64_t stamp_find(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    return clock_ns(stamp);
  }
  return 0;
}

ssize_t stamp_receive(int fd, void *memory, size_t size, struct stamp *out) {
  union {
    struct cmsghdr header; /* aligns */
    char room[CMSG_SPACE(sizeof(struct timespec))];
  } control;
  struct iovec part = {memory, size};
  struct msghdr message = {
    .msg_name = &out->from,
    .msg_namelen = sizeof out->from,
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  ssize_t length = recvmsg(fd, &message, 0);
  if (length == -1) return -errno;
  out->wall_ns = stamp_find(&message);
  out->is_cut = message.msg_flags & MSG_TRUNC;
  return length;
}

/* Sends itself a datagram. Returns 1 if the kernel stamped it at the send, 0 if only at the read,
 * or a negative errno. */
static int stamp_try_once(int fd, const struct sockaddr_in *self) {
  struct stamp stamp;
  if (sendto(fd, "", 0, 0, (const struct sockaddr *)self, sizeof *self) == -1) return -errno;
  int64_t sent_ns = clock_wall_now_ns();
  ssize_t length = stamp_receive(fd, NULL, 0, &stamp);
  if (length < 0) return (int)length;
  return stamp.wall_ns != 0 && stamp.wall_ns <= sent_ns;
}

static int stamp_bind_somewhere(int fd, struct sockaddr_in *self) {
  socklen_t size = sizeof *self;
  *self = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr *)self, size) == -1) return -errno;
  return getsockname(fd, (struct sockaddr *)self, &size) == -1 ? -errno : 0;
}

static int stamp_wait_until_true(int fd) {
  struct sockaddr_in self;
  uint64_t end_ns = clock_now_ns() + CLOCK_S;
  int result = socket_set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (result == 0) result = stamp_bind_somewhere(fd, &self);
  while (result == 0 && (result = stamp_try_once(fd, &self)) == 0) {
    if (clock_now_ns() > end_ns) return -ETIME;
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
  }
  return result < 0 ? result : 0;
}

int stamp_enable(int fd, int ns) {
  int result = socket_set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (result < 0) return result;
  int probe = namespace_socket(ns, AF_INET, SOCK_DGRAM, 0);
  if (probe < 0) return probe;
  result = stamp_wait_until_true(probe);
  close(probe);
  return result;
}
