/* epoll(7), used in two ways. Textbook: every descriptor is registered as soon as it is made, and
 * calls are made when it is ready. With TRY_FIRST: a call is tried at once, and only a descriptor
 * that would block is registered. */
#ifndef BENCH_EPOLL_LOOP_H
#define BENCH_EPOLL_LOOP_H

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../round.h"

#ifdef TRY_FIRST
enum { TRIES_FIRST = 1 };
#else
enum { TRIES_FIRST = 0 };
#endif

struct watched {
  int fd;
  uint32_t events;                 /* registered at present */
  void (*step)(struct watched *w); /* makes the calls that are possible */
};

static int epoll_fd = -1;
static bool is_running;

static inline bool would_block(ssize_t result) {
  if (result == -1 && errno != EAGAIN && errno != EINPROGRESS && errno != EALREADY) {
    perror("epoll");
    exit(1);
  }
  return result == -1;
}

static inline void await(struct watched *w, uint32_t events) {
  struct epoll_event wanted = {.events = events, .data.ptr = w};
  if (w->events == events) return;
  check(epoll_ctl(epoll_fd, w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, w->fd, &wanted),
        "epoll_ctl");
  w->events = events;
}

static inline void go_on(struct watched *w, uint32_t events) {
  if (TRIES_FIRST)
    w->step(w);
  else
    await(w, events);
}

static inline void run_loop(void) {
  struct epoll_event ready[1024];
  for (is_running = true; is_running;) {
    int count = check(epoll_wait(epoll_fd, ready, 1024, -1), "epoll_wait");
    for (int i = 0; i < count; i++) {
      struct watched *w = ready[i].data.ptr;
      w->step(w);
    }
  }
}

static inline int new_socket(void) {
  return check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
}

static inline struct sockaddr_in listen_on_loopback(struct watched *listener, int backlog) {
  struct sockaddr_in at = loopback(0);
  socklen_t length = sizeof at;
  if (epoll_fd == -1) epoll_fd = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  listener->fd = new_socket();
  listener->events = 0;
  check(bind(listener->fd, (struct sockaddr *)&at, sizeof at), "bind");
  check(listen(listener->fd, backlog), "listen");
  check(getsockname(listener->fd, (struct sockaddr *)&at, &length), "getsockname");
  return at;
}

/* Whether it is connected; if not, ask again. On loopback the handshake is often over when
 * connect(2) returns. */
static inline bool connect_to(int fd, const struct sockaddr_in *server) {
  for (int tries = 0; tries <= TRIES_FIRST; tries++) {
    int result = connect(fd, (const struct sockaddr *)server, sizeof *server);
    if (result == 0 || errno == EISCONN) return true;
    would_block(result);
  }
  return false;
}

#endif
