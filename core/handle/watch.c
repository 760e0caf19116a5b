#include "handle/watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  GROW_BY = 1024,     /* entries of the table */
  EVENTS_MOST = 1024, /* taken from the kernel at one go */
  ROUNDS = 64,    /* of epoll_wait(2) in one poll: events that came before a deadline go first */
  FUNCTIONS = 32, /* for ready descriptors, at most: a kind of handle has one */
};

/* There are many thousands. */
struct watch {
  uint32_t life;     /* descriptors that had this number before */
  uint16_t events;   /* that the owner asked for; 0: none */
  uint16_t function; /* which one tells the owner */
  void *owner;
};

struct watches {
  int set;
  int count;
  struct watch *by_fd;
  watch_ready functions[FUNCTIONS]; /* ends with NULL, or is full */
};

/* close(2) takes a descriptor out of the set, unless a child process has the file open too. Late
 * events of a closed descriptor carry an old life, and watch_report drops them. */
static int watch_ask(const watches *ws, int operation, int fd) {
  const struct watch *w = &ws->by_fd[fd];
  struct epoll_event wanted = {.events = w->events | WATCH_MARK | EPOLLET,
                               .data.u64 = (uint64_t)w->life << 32 | (uint32_t)fd};
  return epoll_ctl(ws->set, operation, fd, &wanted) == -1 ? -errno : 0;
}

static void watch_report(const watches *ws, const struct epoll_event *e) {
  struct watch w = ws->by_fd[(uint32_t)e->data.u64];
  if (w.life != e->data.u64 >> 32) return;
  bool is_all = (e->events & (EPOLLERR | EPOLLHUP)) != 0;
  ws->functions[w.function](w.owner,
                            is_all ? WATCH_READABLE | WATCH_WRITABLE | WATCH_MARK : (int)e->events);
}

static int watch_grow(watches *ws, int fd) {
  int count = (fd / GROW_BY + 1) * GROW_BY;
  struct watch *by_fd = realloc(ws->by_fd, (size_t)count * sizeof *by_fd);
  if (by_fd == NULL) return -ENOMEM;
  memset(by_fd + ws->count, 0, (size_t)(count - ws->count) * sizeof *by_fd);
  ws->by_fd = by_fd;
  ws->count = count;
  return 0;
}

/* Its number, or -ENOMEM. */
static int watch_function(watches *ws, watch_ready ready) {
  for (int i = 0; i < FUNCTIONS; i++) {
    if (ws->functions[i] == NULL) ws->functions[i] = ready;
    if (ws->functions[i] == ready) return i;
  }
  return -ENOMEM;
}

int watch_begin(watches *ws, int fd, int events, watch_ready ready, void *owner) {
  if (watch_is_on(ws, fd, events)) return 0;
  int function = watch_function(ws, ready);
  if (function < 0 || (fd >= ws->count && watch_grow(ws, fd) < 0)) return -ENOMEM;
  struct watch *w = &ws->by_fd[fd];
  uint16_t before = w->events;
  w->events = (uint16_t)(before | events);
  w->function = (uint16_t)function;
  w->owner = owner;
  int result = watch_ask(ws, before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd);
  if (result < 0) w->events = before;
  return result;
}

bool watch_is_on(const watches *ws, int fd, int events) {
  return fd >= 0 && fd < ws->count && (ws->by_fd[fd].events & events) == events;
}

void watch_again(watches *ws, int fd) {
  /* Asking again for the same events makes the kernel check them again: epoll_ctl(2). */
  if (fd < ws->count && ws->by_fd[fd].events != 0) watch_ask(ws, EPOLL_CTL_MOD, fd);
}

void watch_end(watches *ws, int fd) {
  if (fd >= ws->count || ws->by_fd[fd].events == 0) return;
  ws->by_fd[fd].events = 0;
  ws->by_fd[fd].life++;
}

void watch_end_shared(watches *ws, int fd) {
  epoll_ctl(ws->set, EPOLL_CTL_DEL, fd, NULL);
  watch_end(ws, fd);
}

void watches_poll(watches *ws, int timeout_ms) {
  struct epoll_event events[EVENTS_MOST];
  int count = EVENTS_MOST;
  for (int round = 0; round < ROUNDS && count == EVENTS_MOST; round++) {
    count = epoll_wait(ws->set, events, EVENTS_MOST, round == 0 ? timeout_ms : 0);
    for (int i = 0; i < count; i++) watch_report(ws, &events[i]);
  }
}

int watches_open(watches **out) {
  watches *ws = calloc(1, sizeof *ws);
  if (ws == NULL) return -ENOMEM;
  ws->set = epoll_create1(EPOLL_CLOEXEC);
  int result = ws->set == -1 ? -errno : 0;
  if (result < 0)
    free(ws);
  else
    *out = ws;
  return result;
}

void watches_close(watches *ws) {
  close(ws->set);
  free(ws->by_fd);
  free(ws);
}
