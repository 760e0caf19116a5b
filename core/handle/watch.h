/* The descriptors that a loop watches, in an epoll set of the loop's own. libuv's loop does not run
 * in lunet, because it aborts the process when the kernel refuses epoll_ctl(2). uv_poll would also
 * make more system calls: it adds a descriptor to the set for each wait and removes it afterwards.
 * A byte there and back between two sockets, with a wait at each end, takes 8 system calls here. By
 * uv_poll it takes 14, of which 6 are epoll_ctl. It takes 22.5, 21.2, 29.4 us here, and 40.1, 45.0,
 * 46.1 us by uv_poll. Measured by `build/release/bench/watch/watch 100000` and strace -c
 * (bench/watch.c; libuv 1.44.2, 2026-11-28, on a busy machine).
 *
 * The first op that waits for a descriptor while no task can run adds it to the set. The descriptor
 * stays until it closes, so a later wait costs no system call. The set is edge-triggered: it
 * reports each event once, even if no op waits. So an op may wait only after its call would have
 * blocked. A caller that stops earlier calls watch_again. */
#ifndef LUNET_HANDLE_WATCH_H
#define LUNET_HANDLE_WATCH_H

#include <sys/epoll.h>

#include <stdbool.h>

typedef struct watches watches;

enum {
  WATCH_READABLE = EPOLLIN,
  WATCH_WRITABLE = EPOLLOUT,
  /* Comes with one of those, unasked: a FIN, a RST or another error, or urgent data, at which
     reading stops. */
  WATCH_MARK = EPOLLRDHUP | EPOLLPRI,
};

typedef void (*watch_ready)(void *owner, int events);

/* Also watches for these events. Does nothing if it already does. 0 or a negative errno. */
int watch_begin(watches *ws, int fd, int events, watch_ready ready, void *owner);

bool watch_is_on(const watches *ws, int fd, int events);

/* Makes the next poll report the readiness of the descriptor, even if it does not change. */
void watch_again(watches *ws, int fd);

/* Call it when you close the descriptor; harmless if it is not watched. */
void watch_end(watches *ws, int fd);

/* Also takes the descriptor out of the epoll set, which close(2) does not do while a program has
 * the same open file description. */
void watch_end_shared(watches *ws, int fd);

int watches_open(watches **out);
void watches_close(watches *ws);
void watches_poll(watches *ws, int timeout_ms); /* -1: no limit */

#endif
