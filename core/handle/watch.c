#include "handle/watch.h"

#include <stdlib.h>

struct watch {
  uv_poll_t poll; /* libuv's until on_closed, which frees the watch */
  int armed;      /* the events asked of libuv at present */
  watch_ready ready;
  void *owner; /* NULL once closed */
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
  if (status < 0) {
    /* POLLERR arrives as UV_EBADF, and libuv has stopped the handle. The status says nothing about
     * the error: the calls that wait will get it from the kernel when they are repeated. */
    w->armed = 0;
    events = armed;
  }
  int idle = w->ready(w->owner, events);
  if (w->owner == NULL) return; /* closed meanwhile */
  arm(w, status < 0 ? armed & ~idle : w->armed & ~idle);
}

static void on_closed(uv_handle_t *handle) { free(handle->data); }

static int open_watch(watch **out, loop *lp, int fd, watch_ready ready, void *owner) {
  watch *w = calloc(1, sizeof *w);
  if (w == NULL) return UV_ENOMEM;
  int result = uv_poll_init(loop_uv(lp), &w->poll, fd);
  if (result < 0) {
    free(w);
    return result;
  }
  w->poll.data = w;
  w->ready = ready;
  w->owner = owner;
  *out = w;
  return 0;
}

int watch_arm(watch **w, loop *lp, int fd, int events, watch_ready ready, void *owner) {
  int result = *w == NULL ? open_watch(w, lp, fd, ready, owner) : 0;
  return result < 0 ? result : arm(*w, (*w)->armed | events);
}

void watch_close(watch **w) {
  if (*w == NULL) return;
  (*w)->owner = NULL;
  uv_close((uv_handle_t *)&(*w)->poll, on_closed);
  *w = NULL;
}
