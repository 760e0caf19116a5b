#include "platform/option.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 /* missing in older headers */
#endif

/* The bounds are the kernel's (net/ipv4/tcp.c, do_tcp_setsockopt; net/core/sock.c). lunet refuses a
 * value that the kernel would refuse or silently change, and names the option. */
const struct option option_table[] = {
  {"nodelay", OPTION_FLAG, IPPROTO_TCP, TCP_NODELAY, 0, 1, NULL},
  {"reuseaddr", OPTION_FLAG, SOL_SOCKET, SO_REUSEADDR, 0, 1, NULL},
  {"reuseport", OPTION_FLAG, SOL_SOCKET, SO_REUSEPORT, 0, 1, NULL},
  {"keepalive", OPTION_FLAG, SOL_SOCKET, SO_KEEPALIVE, 0, 1, NULL},
  {"keepidle", OPTION_SECONDS, IPPROTO_TCP, TCP_KEEPIDLE, 1, 32767, NULL},
  {"keepintvl", OPTION_SECONDS, IPPROTO_TCP, TCP_KEEPINTVL, 1, 32767, NULL},
  {"keepcnt", OPTION_NUMBER, IPPROTO_TCP, TCP_KEEPCNT, 1, 127, NULL},
  {"user_timeout", OPTION_MILLISECONDS, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, INT_MAX / 1000, NULL},
  {"defer_accept", OPTION_SECONDS, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 3600, NULL},
  {"fastopen", OPTION_NUMBER, IPPROTO_TCP, TCP_FASTOPEN, 0, INT_MAX, NULL},
  {"fastopen_connect", OPTION_FLAG, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0, 1, NULL},
  {"syncnt", OPTION_NUMBER, IPPROTO_TCP, TCP_SYNCNT, 1, 127, NULL},
  {"congestion", OPTION_TEXT, IPPROTO_TCP, TCP_CONGESTION, 0, 0, NULL},
  {"rto_max", OPTION_MILLISECONDS, IPPROTO_TCP, TCP_RTO_MAX_MS, 1, 120, "6.15"},
  {"linger", OPTION_LINGER, SOL_SOCKET, SO_LINGER, 0, 0, NULL},
  {"sndbuf", OPTION_NUMBER, SOL_SOCKET, SO_SNDBUF, 0, INT_MAX / 2, NULL},
  {"rcvbuf", OPTION_NUMBER, SOL_SOCKET, SO_RCVBUF, 0, INT_MAX / 2, NULL},
  {"v6only", OPTION_FLAG, IPPROTO_IPV6, IPV6_V6ONLY, 0, 1, NULL},
  {NULL, OPTION_FLAG, 0, 0, 0, 0, NULL},
};

_Static_assert(sizeof option_table / sizeof *option_table <= OPTIONS_MOST, "OPTIONS_MOST");

static int option_set(int fd, const struct option *o, const void *value, socklen_t length) {
  return setsockopt(fd, o->level, o->number, value, length) == -1 ? -errno : 0;
}

int option_set_number(int fd, const struct option *o, int value) {
  return option_set(fd, o, &value, sizeof value);
}

int option_set_text(int fd, const struct option *o, const char *value) {
  return option_set(fd, o, value, (socklen_t)strlen(value));
}

int option_set_linger(int fd, int reset_on_close) {
  struct linger linger = {.l_onoff = reset_on_close, .l_linger = 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == -1 ? -errno : 0;
}

static int option_get(int fd, const struct option *o, void *value, socklen_t *size) {
  return getsockopt(fd, o->level, o->number, value, size) == -1 ? -errno : 0;
}

int option_get_number(int fd, const struct option *o, int *value) {
  socklen_t size = sizeof *value;
  *value = 0;
  return option_get(fd, o, value, &size);
}

int option_get_text(int fd, const struct option *o, char text[OPTION_TEXT_SIZE]) {
  socklen_t size = OPTION_TEXT_SIZE - 1;
  memset(text, 0, OPTION_TEXT_SIZE);
  return option_get(fd, o, text, &size);
}

int option_get_linger(int fd, int *seconds) {
  struct linger linger = {.l_onoff = 0};
  socklen_t size = sizeof linger;
  int result = getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == -1 ? -errno : 0;
  *seconds = linger.l_onoff ? linger.l_linger : -1;
  return result;
}
