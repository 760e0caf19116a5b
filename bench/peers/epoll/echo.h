/* The echo server that churn and ping-pong share. */
#ifndef BENCH_EPOLL_ECHO_H
#define BENCH_EPOLL_ECHO_H

#include "loop.h"

static inline void echo_step(struct watched *w) {
  char data[MESSAGE];
  for (;;) {
    ssize_t size = recv(w->fd, data, sizeof data, 0);
    if (would_block(size)) break;
    if (size == 0) {
      close(w->fd);
      free(w);
      return;
    }
    check((int)send(w->fd, data, (size_t)size, MSG_NOSIGNAL), "send");
    if (!TRIES_FIRST) return; /* level-triggered: epoll says when there is more */
  }
  await(w, EPOLLIN);
}

static inline void echo_accept(struct watched *listener) {
  for (;;) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (would_block(fd)) return;
    struct watched *w = calloc(1, sizeof *w);
    if (w == NULL) abort();
    w->fd = fd;
    w->step = echo_step;
    go_on(w, EPOLLIN);
  }
}

#endif
