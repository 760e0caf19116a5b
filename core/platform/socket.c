#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/option.h"
#include "platform/tcp_info.h"
#include "platform/unix_queue.h"

static int socket_result_of(int returned) { return returned == -1 ? -errno : returned; }

int socket_open(int family, int protocol) {
  return socket_result_of(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

bool socket_is_mptcp(int fd) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  int result = getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
  return result == 0 && protocol == SOCKET_MPTCP;
}

/* -- zones --------------------------------------------------------------------------------- */

static int socket_zone_number(const char *name) {
  size_t length = strlen(name);
  bool is_number = length < 10 && strspn(name, "0123456789") == length;
  return is_number ? atoi(name) : 0;
}

int socket_find_zone(int fd, address *a) {
  struct ifreq request = {.ifr_ifindex = 0};
  if (a->zone[0] == '\0') return 0;
  memcpy(request.ifr_name, a->zone, sizeof a->zone);
  int result = socket_result_of(ioctl(fd, SIOCGIFINDEX, &request));
  if (result == -ENODEV && socket_zone_number(a->zone) > 0) {
    request.ifr_ifindex = socket_zone_number(a->zone);
    result = socket_result_of(ioctl(fd, SIOCGIFNAME, &request));
  }
  if (result == 0) a->as.in6.sin6_scope_id = (uint32_t)request.ifr_ifindex;
  return result;
}

void socket_name_zone(int fd, address *a) {
  if (!address_is_link_local(a) || a->as.in6.sin6_scope_id == 0) return;
  struct ifreq request = {.ifr_ifindex = (int)a->as.in6.sin6_scope_id};
  if (ioctl(fd, SIOCGIFNAME, &request) == 0)
    memcpy(a->zone, request.ifr_name, sizeof a->zone);
  else /* the interface has gone */
    snprintf(a->zone, sizeof a->zone, "%u", a->as.in6.sin6_scope_id);
}

/* -- calls --------------------------------------------------------------------------------- */

int socket_bind(int fd, const address *local) {
  return socket_result_of(bind(fd, &local->as.any, local->length));
}

int socket_listen(int fd, int backlog) { return socket_result_of(listen(fd, backlog)); }

int socket_set(int fd, int level, int option, int value) {
  return socket_result_of(setsockopt(fd, level, option, &value, sizeof value));
}

int socket_mark(int fd, uint32_t mark) { return socket_set(fd, SOL_SOCKET, SO_MARK, (int)mark); }

uint32_t socket_inode(int fd) {
  struct stat status;
  return fstat(fd, &status) == -1 ? 0 : (uint32_t)status.st_ino;
}

int socket_accept(int fd, address *peer) {
  memset(peer, 0, sizeof *peer);
  peer->length = sizeof peer->as;
  return socket_result_of(accept4(fd, &peer->as.any, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int socket_connect(int fd, const address *peer) {
  int result = socket_result_of(connect(fd, &peer->as.any, peer->length));
  return result == -EISCONN ? 0 : result;
}

static ssize_t socket_size_of(ssize_t returned) { return returned == -1 ? -errno : returned; }

/* A client whose server cannot send would wait for its whole timeout. */
ssize_t socket_send(int fd, const void *data, size_t length) {
  int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  return socket_size_of(TEMP_FAILURE_RETRY(send(fd, data, length, flags)));
}

ssize_t socket_receive(int fd, void *data, size_t length) {
  return socket_size_of(recv(fd, data, length, MSG_DONTWAIT));
}

ssize_t socket_peek(int fd, void *data, size_t length) {
  return socket_size_of(recv(fd, data, length, MSG_PEEK | MSG_DONTWAIT));
}

ssize_t socket_discard(int fd, size_t length) {
  return socket_size_of(recv(fd, NULL, length, MSG_TRUNC | MSG_DONTWAIT));
}

int socket_connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  int result = socket_result_of(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
  return result < 0 ? result : -error;
}

int socket_dissolve(int fd) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  return socket_result_of(connect(fd, &none, sizeof none));
}

int socket_shutdown(int fd, int how) { return socket_result_of(shutdown(fd, how)); }

void socket_close(int fd) { close(fd); } /* Linux frees the descriptor even on EINTR */

void socket_reset(int fd) {
  option_set_linger(fd, true);
  close(fd);
}

int socket_local(int fd, address *local) {
  memset(local, 0, sizeof *local);
  local->length = sizeof local->as;
  int result = socket_result_of(getsockname(fd, &local->as.any, &local->length));
  if (result == 0) socket_name_zone(fd, local);
  return result;
}

int socket_peer(int fd, address *peer) {
  memset(peer, 0, sizeof *peer);
  peer->length = sizeof peer->as;
  int result = socket_result_of(getpeername(fd, &peer->as.any, &peer->length));
  if (result < 0) peer->length = 0;
  return result;
}

int socket_unread(int fd) {
  int bytes = 0;
  int result = socket_result_of(ioctl(fd, SIOCINQ, &bytes));
  return result < 0 ? result : bytes;
}

int socket_unsent(int fd, int *never_sent) {
  int bytes = 0;
  int result = socket_result_of(ioctl(fd, SIOCOUTQ, &bytes));
  /* Unix sockets have no SIOCOUTQNSD: they acknowledge nothing. */
  if (ioctl(fd, SIOCOUTQNSD, never_sent) == -1) *never_sent = bytes;
  return result < 0 ? result : bytes;
}

int socket_state(int fd, const char **name) {
  struct tcp_info info;
  int length = tcp_info_read(fd, &info);
  if (length < 0) return length;
  *name = tcp_state_name(info.tcpi_state);
  return 0;
}

/* Does not ask poll(2), which shows this side's SHUT_RD like the peer's FIN. */
static enum liveness socket_tcp_liveness(uint8_t state, bool shut) {
  /* Without this side's FIN only an RST or a timeout leads to TCP_CLOSE. */
  if (state == TCP_STATE_CLOSE) return shut ? LIVENESS_FIN : LIVENESS_RESET;
  return TCP_STATES_AFTER_FIN & 1u << state ? LIVENESS_FIN : LIVENESS_OPEN;
}

int socket_liveness(int fd, bool shut, bool deaf, bool mptcp, enum liveness *out) {
  struct pollfd polled = {.fd = fd, .events = POLLIN | POLLRDHUP};
  struct tcp_info info;
  if (poll(&polled, 1, 0) == -1) return -errno;
  int ended = POLLHUP | (deaf ? 0 : POLLRDHUP);
  /* POLLERR means that sk_err is set. The next receive or send still gets the error. */
  if (polled.revents & POLLERR)
    *out = LIVENESS_RESET;
  else if (!mptcp && tcp_info_read(fd, &info) > 0)
    *out = socket_tcp_liveness(info.tcpi_state, shut);
  else
    *out = polled.revents & ended ? LIVENESS_FIN : LIVENESS_OPEN;
  return 0;
}

int socket_queue(int fd, int family, uint32_t *depth, uint32_t *limit) {
  struct tcp_info info;
  if (family == AF_UNIX) return unix_queue_read(fd, depth, limit);
  int length = tcp_info_read(fd, &info);
  if (length < 0) return length;
  /* net/ipv4/tcp.c, tcp_get_info(): a listener's accept queue is in these two fields. */
  *depth = info.tcpi_unacked;
  *limit = info.tcpi_sacked;
  return 0;
}

int socket_drops(int fd, uint32_t *drops) {
  uint32_t memory[SK_MEMINFO_VARS] = {0};
  socklen_t size = sizeof memory;
  int result = socket_result_of(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size));
  *drops = memory[SK_MEMINFO_DROPS];
  return result;
}

int socket_queue_limit(int fd, uint32_t *limit) {
  uint32_t depth;
  int result = socket_listen(fd, INT_MAX);
  return result < 0 ? result : socket_queue(fd, AF_INET, &depth, limit);
}

int socket_open_pair(int type, int pair[2]) {
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) == -1) return -errno;
  if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int result = -errno;
  close(pair[0]);
  close(pair[1]);
  return result;
}
