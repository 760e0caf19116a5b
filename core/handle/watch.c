#include "handle/watch.h"

#include <stdlib.h>

enum { IDLE_MOST = 1024 }; /* descriptors, by their numbers */

struct watch {
  uv_poll_t poll; /* libuv's until on_closed, which frees the watch */
  watches *idle;  /* where it goes when it is closed */
  int fd;
  int armed;     /* the events asked of libuv at present */
  uint32_t uses; /* how many descriptors it has served */
  watch_ready ready;
  void *owner; /* NULL once closed */
};

/* Closed watches, by the number of their descriptor, until another descriptor has that number: the
 * kernel gives out the lowest free one, so that is soon. For a handle of its own each time, libuv
 * would try the descriptor in epoll, take it out again, and ask for it not to block. */
struct watches {
  watch *by_fd[IDLE_MOST];
};

static void on_poll(uv_poll_t *poll, int status, int events);

static int arm(watch *w, int events) {
  if (events == w->armed) return 0;
  int result = events == 0 ? uv_poll_stop(&w->poll) : uv_poll_start(&w->poll, events, on_poll);
  if (result == 0) w->armed = events;
  return result;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  watch *w = poll->data;
  int armed = w->armed;
  uint32_t uses = w->uses;
  if (status < 0) {
    /* POLLERR arrives as UV_EBADF, and libuv has stopped the handle. The status says nothing about
     * the error: the calls that wait will get it from the kernel when they are repeated. */
    w->armed = 0;
    events = armed;
  }
  int idle = w->ready(w->owner, events);
  if (w->owner == NULL || w->uses != uses) return; /* closed meanwhile */
  arm(w, status < 0 ? armed & ~idle : w->armed & ~idle);
}

static void on_closed(uv_handle_t *handle) { free(handle->data); }

static int new_watch(watch **out, loop *lp, int fd) {
  watch *w = calloc(1, sizeof *w);
  if (w == NULL) return UV_ENOMEM;
  int result = uv_poll_init(loop_uv(lp), &w->poll, fd);
  if (result < 0) {
    free(w);
    return result;
  }
  w->poll.data = w;
  w->idle = loop_watches(lp);
  w->fd = fd;
  *out = w;
  return 0;
}

static bool take_idle(watches *ws, int fd, watch **out) {
  if (fd >= IDLE_MOST || ws->by_fd[fd] == NULL) return false;
  *out = ws->by_fd[fd];
  ws->by_fd[fd] = NULL;
  return true;
}

static bool keep_idle(watch *w) {
  if (w->fd >= IDLE_MOST || w->idle->by_fd[w->fd] != NULL) return false;
  w->idle->by_fd[w->fd] = w;
  return true;
}

static int open_watch(watch **out, loop *lp, int fd, watch_ready ready, void *owner) {
  int result = take_idle(loop_watches(lp), fd, out) ? 0 : new_watch(out, lp, fd);
  if (result < 0) return result;
  (*out)->ready = ready;
  (*out)->owner = owner;
  (*out)->uses++;
  return 0;
}

int watch_arm(watch **w, loop *lp, int fd, int events, watch_ready ready, void *owner) {
  int result = *w == NULL ? open_watch(w, lp, fd, ready, owner) : 0;
  return result < 0 ? result : arm(*w, (*w)->armed | events);
}

void watch_close(watch **w) {
  watch *closed = *w;
  if (closed == NULL) return;
  *w = NULL;
  closed->owner = NULL;
  uv_poll_stop(&closed->poll); /* even if it is not armed: POLLERR leaves it in libuv's epoll */
  closed->armed = 0;
  if (!keep_idle(closed)) uv_close((uv_handle_t *)&closed->poll, on_closed);
}

int watches_open(watches **out) {
  *out = calloc(1, sizeof **out);
  return *out == NULL ? UV_ENOMEM : 0;
}

void watches_close(watches *ws) {
  for (int fd = 0; fd < IDLE_MOST; fd++)
    if (ws->by_fd[fd] != NULL) uv_close((uv_handle_t *)&ws->by_fd[fd]->poll, on_closed);
  free(ws);
}
