#include "handle/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/watch.h"

/* Segments to read at one go: however fast they come, other tasks get their turn. */
enum { READ_MOST = 256 };

struct capture {
  handle handle;
  loop *lp;
  char *name; /* of the host, which may have gone */
  tap *tap;   /* NULL: closed */
  struct segment *ring;
  uint32_t room, most; /* segments that the ring holds now, and at most */
  uint64_t next;
  uint64_t dropped;
  uint64_t error_ns;
};

enum { FIRST_ROOM = 256 };

/* -- the ring ------------------------------------------------------------------------------ */

/* The ring grows up to `most` segments, and overwrites none before that. */
static bool capture_grow(capture *c) {
  uint32_t room = c->room == 0 ? FIRST_ROOM : 2 * c->room;
  if (room > c->most) room = c->most;
  struct segment *ring = realloc(c->ring, room * sizeof *ring);
  if (ring == NULL) return false;
  c->ring = ring;
  c->room = room;
  return true;
}

static void capture_take(void *owner, const struct segment *s) {
  capture *c = owner;
  if (c->next == c->room && c->room < c->most && !capture_grow(c)) c->most = c->room;
  if (c->room == 0) {
    c->dropped++;
    return;
  }
  c->ring[c->next++ % c->room] = *s;
}

static int capture_read_some(capture *c) {
  uint64_t error_ns;
  int count = tap_read(c->tap, READ_MOST, capture_take, c, &error_ns);
  if (count > 0 && error_ns > c->error_ns) c->error_ns = error_ns;
  return count;
}

int capture_read(capture *c) {
  int count = c->tap != NULL ? READ_MOST : 0;
  while (count == READ_MOST) count = capture_read_some(c);
  return count < 0 ? count : 0;
}

uint64_t capture_first(const capture *c) { return c->next < c->room ? 0 : c->next - c->room; }
uint64_t capture_next(const capture *c) { return c->next; }

const struct segment *capture_segment(const capture *c, uint64_t number) {
  return &c->ring[number % c->room];
}

uint64_t capture_dropped(capture *c) {
  return c->dropped + (c->tap != NULL ? tap_dropped(c->tap) : 0);
}

uint64_t capture_error_ns(const capture *c) { return c->error_ns; }

/* -- opening and closing ------------------------------------------------------------------- */

static int capture_close(handle *h) {
  capture *c = (capture *)h;
  capture_read(c);
  c->dropped = capture_dropped(c);
  watch_end(loop_watches(c->lp), tap_fd(c->tap));
  tap_close(c->tap);
  c->tap = NULL;
  return 0;
}

static void capture_free(handle *h) {
  capture *c = (capture *)h;
  free(c->ring);
  free(c->name);
}

static void capture_describe(const handle *h, char *text, size_t size) {
  if (h->is_open) snprintf(text, size, "of %s", ((const capture *)h)->name);
}

static const struct handle_type capture_type = {"capture", capture_close, NULL, capture_free,
                                                capture_describe};

static void capture_on_readable(void *owner, int events) {
  capture *c = owner;
  (void)events;
  int count = capture_read_some(c);
  if (count < 0 || count == READ_MOST) watch_again(loop_watches(c->lp), tap_fd(c->tap));
}

int capture_open(loop *lp, const struct place *p, const host *h, uint32_t most, capture **out) {
  capture *c = calloc(1, sizeof *c);
  if (c == NULL) return -ENOMEM;
  c->lp = lp;
  c->name = strdup(host_name(h));
  c->most = most;
  int result = c->name == NULL ? -ENOMEM : tap_open(host_namespace(h), &c->tap);
  if (result == 0)
    result = watch_begin(loop_watches(lp), tap_fd(c->tap), WATCH_READABLE, capture_on_readable, c);
  if (result < 0) {
    if (c->tap != NULL) tap_close(c->tap);
    free(c->name);
    free(c);
    return result;
  }
  handle_open(&c->handle, &capture_type, p);
  *out = c;
  return 0;
}
