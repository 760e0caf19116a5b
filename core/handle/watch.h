/* The descriptors that a loop watches: an epoll set of its own. libuv's loop does not run in lunet:
 * it aborts the process when epoll_ctl(2) is refused. uv_poll would also ask the kernel more often,
 * since it puts a descriptor into the set for each wait and takes it out again: a byte there and
 * back between two sockets, with a wait at each end, takes 14 system calls by uv_poll (6 of them
 * epoll_ctl) and 8 by this, and 40.1, 45.0, 46.1 us against 22.5, 21.2, 29.4. Measured by
 * `build/release/bench/watch/watch 100000` and strace -c (bench/watch.c; libuv 1.44.2, 2026-11-28,
 * on a machine that others used too).
 *
 * A descriptor is put in when an op first has to wait for it while no task can run, and stays until
 * it is closed, so that a later wait costs no system call. It is edge-triggered: each event is told
 * once, whether an op waits or not. So an op may wait only when its call would have blocked after
 * the descriptor was ready last; who stops before that asks to be told again. */
#ifndef LUNET_HANDLE_WATCH_H
#define LUNET_HANDLE_WATCH_H

#include <sys/epoll.h>

#include <stdbool.h>

typedef struct watches watches;

enum {
  WATCH_READABLE = EPOLLIN,
  WATCH_WRITABLE = EPOLLOUT,
  /* With one of those: a FIN, a RST or another error, or urgent data, at which reading stops. It
   * need not be asked for. */
  WATCH_MARK = EPOLLRDHUP | EPOLLPRI,
};

typedef void (*watch_ready)(void *owner, int events);

/* Watches for these events too. Nothing is done if that is so already. */
int watch_begin(watches *ws, int fd, int events, watch_ready ready, void *owner);

bool watch_is_on(const watches *ws, int fd, int events);

/* The next poll tells what the descriptor is ready for then, though nothing changes till then. */
void watch_again(watches *ws, int fd);

/* To be called when the descriptor is closed; harmless if it is not watched. */
void watch_end(watches *ws, int fd);

int watches_open(watches **out);
void watches_close(watches *ws);
void watches_poll(watches *ws, int timeout_ms); /* -1: as long as it takes */

#endif
