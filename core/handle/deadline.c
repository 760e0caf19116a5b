#include "handle/deadline.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "platform/awake.h"
#include "platform/clock.h"

struct entry {
  uint64_t at_ns; /* a copy of deadline->at_ns, so that sifting stays inside the array */
  deadline *deadline;
};

struct deadlines {
  void (*passed)(deadline *d);
  int fd;
  awake *awake;       /* NULL: the processor may sleep */
  bool may_sleep;     /* awake stays NULL */
  bool is_due;        /* the timer has fired since the last expire */
  bool is_refused;    /* the kernel has refused to set the timer */
  uint64_t armed_ns;  /* when the timer fires; DEADLINE_NEVER: never */
  struct entry *heap; /* from 1 to count; heap[1] is the earliest */
  uint32_t count, capacity;
};

static void deadlines_place(deadlines *ds, uint32_t slot, struct entry e) {
  ds->heap[slot] = e;
  e.deadline->slot = slot;
}

static void deadlines_sift_up(deadlines *ds, uint32_t slot, struct entry e) {
  for (; slot > 1 && e.at_ns < ds->heap[slot / 2].at_ns; slot /= 2)
    deadlines_place(ds, slot, ds->heap[slot / 2]);
  deadlines_place(ds, slot, e);
}

static void deadlines_sift_down(deadlines *ds, uint32_t slot, struct entry e) {
  for (uint32_t child; (child = 2 * slot) <= ds->count; slot = child) {
    if (child < ds->count && ds->heap[child + 1].at_ns < ds->heap[child].at_ns) child++;
    if (e.at_ns <= ds->heap[child].at_ns) break;
    deadlines_place(ds, slot, ds->heap[child]);
  }
  deadlines_place(ds, slot, e);
}

static void deadlines_arm(deadlines *ds, uint64_t at_ns) {
  struct itimerspec when = {.it_value = clock_timespec(at_ns)};
  ds->is_refused = timerfd_settime(ds->fd, TFD_TIMER_ABSTIME, &when, NULL) == -1;
  if (ds->awake != NULL) awake_at(ds->awake, at_ns);
  ds->armed_ns = at_ns;
}

static int deadlines_grow(deadlines *ds) {
  uint32_t capacity = ds->capacity == 0 ? 64 : 2 * ds->capacity;
  struct entry *heap = realloc(ds->heap, capacity * sizeof *heap);
  if (heap == NULL) return -ENOMEM;
  ds->heap = heap;
  ds->capacity = capacity;
  return 0;
}

int deadlines_add(deadlines *ds, deadline *d) {
  if (ds->count + 1 >= ds->capacity && deadlines_grow(ds) < 0) return -ENOMEM;
  deadlines_sift_up(ds, ++ds->count, (struct entry){d->at_ns, d});
  if (d->at_ns < ds->armed_ns) deadlines_arm(ds, d->at_ns);
  return 0;
}

/* The timer stays armed for a removed deadline: one idle wake-up costs less than arming. */
void deadlines_remove(deadlines *ds, deadline *d) {
  uint32_t slot = d->slot;
  if (slot == 0) return;
  struct entry last = ds->heap[ds->count--];
  d->slot = 0;
  if (last.deadline == d) return;
  if (slot > 1 && last.at_ns < ds->heap[slot / 2].at_ns)
    deadlines_sift_up(ds, slot, last);
  else
    deadlines_sift_down(ds, slot, last);
}

bool deadlines_are_due(const deadlines *ds) { return ds->is_due; }

int deadlines_bound_ms(const deadlines *ds) {
  if (!ds->is_refused || ds->count == 0) return -1;
  uint64_t now_ns = clock_now_ns(), at_ns = ds->heap[1].at_ns;
  if (at_ns <= now_ns) return 0;
  uint64_t left_ms = (at_ns - now_ns) / CLOCK_MS + 1;
  return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void deadlines_expire(deadlines *ds) {
  if (!ds->is_due && !ds->is_refused) return;
  ds->is_due = false;
  ds->armed_ns = DEADLINE_NEVER;
  uint64_t now_ns = clock_now_ns();
  while (ds->count > 0 && ds->heap[1].at_ns <= now_ns) ds->passed(ds->heap[1].deadline);
  if (ds->count > 0) deadlines_arm(ds, ds->heap[1].at_ns);
}

/* Does not read the timer's count: arming resets it. */
static void deadlines_on_timer(void *owner, int events) {
  (void)events;
  ((deadlines *)owner)->is_due = true;
}

int deadlines_open(watches *ws, void (*passed)(deadline *d), deadlines **out) {
  deadlines *ds = calloc(1, sizeof *ds);
  if (ds == NULL) return -ENOMEM;
  ds->passed = passed;
  ds->armed_ns = DEADLINE_NEVER;
  ds->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int result =
    ds->fd == -1 ? -errno : watch_begin(ws, ds->fd, WATCH_READABLE, deadlines_on_timer, ds);
  if (result < 0) {
    if (ds->fd != -1) close(ds->fd);
    free(ds);
    return result;
  }
  *out = ds;
  return 0;
}

void deadlines_stay_awake(deadlines *ds) {
  /* without the thread deadlines are only later */
  if (ds->awake == NULL && !ds->may_sleep) awake_open(&ds->awake);
}

void deadlines_let_sleep(deadlines *ds) { ds->may_sleep = true; }

void deadlines_close(deadlines *ds) {
  if (ds->awake != NULL) awake_close(ds->awake);
  close(ds->fd); /* closes with the loop, which polls no more */
  free(ds->heap);
  free(ds);
}
