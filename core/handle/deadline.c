#include "handle/deadline.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "handle/op.h"
#include "handle/watch.h"
#include "platform/awake.h"
#include "platform/clock.h"

enum { MS = 1000 * 1000 }; /* in nanoseconds */

struct entry {
  uint64_t at_ns; /* a copy of op->deadline_ns: sifting stays inside the array */
  op *op;
};

struct deadlines {
  int fd;
  awake *awake;       /* NULL: the processor may sleep */
  bool is_due;        /* the timer has fired since the last expire */
  bool is_refused;    /* the timer could not be set */
  uint64_t armed_ns;  /* when the timer will fire; DEADLINE_NEVER if it will not */
  struct entry *heap; /* from 1 to count; the earliest is heap[1] */
  uint32_t count, capacity;
};

static void place(deadlines *d, uint32_t slot, struct entry e) {
  d->heap[slot] = e;
  e.op->heap_slot = slot;
}

static void sift_up(deadlines *d, uint32_t slot, struct entry e) {
  for (; slot > 1 && e.at_ns < d->heap[slot / 2].at_ns; slot /= 2)
    place(d, slot, d->heap[slot / 2]);
  place(d, slot, e);
}

static void sift_down(deadlines *d, uint32_t slot, struct entry e) {
  for (uint32_t child; (child = 2 * slot) <= d->count; slot = child) {
    if (child < d->count && d->heap[child + 1].at_ns < d->heap[child].at_ns) child++;
    if (e.at_ns <= d->heap[child].at_ns) break;
    place(d, slot, d->heap[child]);
  }
  place(d, slot, e);
}

static void arm(deadlines *d, uint64_t at_ns) {
  struct itimerspec when = {
    .it_value = {.tv_sec = (time_t)(at_ns / 1000000000u), .tv_nsec = (long)(at_ns % 1000000000u)}};
  d->is_refused = timerfd_settime(d->fd, TFD_TIMER_ABSTIME, &when, NULL) == -1;
  if (d->awake != NULL) awake_at(d->awake, at_ns);
  d->armed_ns = at_ns;
}

static int grow(deadlines *d) {
  uint32_t capacity = d->capacity == 0 ? 64 : 2 * d->capacity;
  struct entry *heap = realloc(d->heap, capacity * sizeof *heap);
  if (heap == NULL) return UV_ENOMEM;
  d->heap = heap;
  d->capacity = capacity;
  return 0;
}

int deadlines_add(deadlines *d, op *o) {
  if (d->count + 1 >= d->capacity && grow(d) < 0) return UV_ENOMEM;
  sift_up(d, ++d->count, (struct entry){o->deadline_ns, o});
  if (o->deadline_ns < d->armed_ns) arm(d, o->deadline_ns);
  return 0;
}

/* The timer stays armed for an op that left: one idle wake-up costs less than arming again. */
void deadlines_remove(deadlines *d, op *o) {
  uint32_t slot = o->heap_slot;
  struct entry last = d->heap[d->count--];
  o->heap_slot = 0;
  if (last.op == o) return;
  if (slot > 1 && last.at_ns < d->heap[slot / 2].at_ns)
    sift_up(d, slot, last);
  else
    sift_down(d, slot, last);
}

bool deadlines_are_due(const deadlines *d) { return d->is_due; }

int deadlines_bound_ms(const deadlines *d) {
  if (!d->is_refused || d->count == 0) return -1;
  uint64_t now_ns = clock_now_ns(), at_ns = d->heap[1].at_ns;
  return at_ns <= now_ns
           ? 0
           : (int)((at_ns - now_ns) / MS + 1 < INT_MAX ? (at_ns - now_ns) / MS + 1 : INT_MAX);
}

void deadlines_expire(deadlines *d) {
  if (!d->is_due && !d->is_refused) return;
  d->is_due = false;
  d->armed_ns = DEADLINE_NEVER;
  uint64_t now_ns = clock_now_ns();
  while (d->count > 0 && d->heap[1].at_ns <= now_ns) op_end(d->heap[1].op, OP_TIMEOUT);
  if (d->count > 0) arm(d, d->heap[1].at_ns);
}

/* Nobody reads how often it fired: arming it forgets that. */
static void on_timer(void *owner, int events) {
  (void)events;
  ((deadlines *)owner)->is_due = true;
}

int deadlines_open(loop *lp, deadlines **out) {
  deadlines *d = calloc(1, sizeof *d);
  if (d == NULL) return UV_ENOMEM;
  d->armed_ns = DEADLINE_NEVER;
  d->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int result = d->fd == -1 ? -errno : watch_begin(lp, d->fd, WATCH_READABLE, on_timer, d);
  if (result < 0) {
    if (d->fd != -1) close(d->fd);
    free(d);
    return result;
  }
  *out = d;
  return 0;
}

void deadlines_stay_awake(deadlines *d) {
  if (d->awake == NULL) awake_open(&d->awake); /* without it they are only later */
}

void deadlines_close(deadlines *d) {
  if (d->awake != NULL) awake_close(d->awake);
  close(d->fd); /* with its loop: nothing is polled any more */
  free(d->heap);
  free(d);
}
