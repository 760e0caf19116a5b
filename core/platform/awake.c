#include "platform/awake.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"

/* The thread begins to spin BEFORE_NS before the time, because the thread itself needs time to
 * wake. It goes on until AFTER_NS after the time: the next time is often near, and the thread is
 * then still awake. */
enum { BEFORE_NS = 20 * CLOCK_MS, AFTER_NS = CLOCK_MS };

/* When sessions or control groups share a processor, SCHED_IDLE yields only to tasks of the
 * thread's own group. Against a task of another group, the thread would use up its own group's
 * share. lunet would then be late by whole turns of the other. A processor that others use stays
 * awake anyway. So the thread pauses when another task has kept it from the clock for TAKEN_NS.
 * Each pause in a row is longer. */
enum { TAKEN_NS = CLOCK_MS / 2, PAUSE_NS = 20 * CLOCK_MS, PAUSE_DOUBLES = 8 };

enum { DESCRIPTORS_MOST = 32768 }; /* 8 bytes each */

static const uint64_t closing = UINT64_MAX, without_end = UINT64_MAX;

/* How the thread rests, or is about to rest. */
enum rest {
  REST_NONE,
  REST_SLEEP, /* until the time is near */
  REST_PAUSE, /* even if the time is near */
};

struct awake {
  pthread_t thread;
  int processor; /* the one that the thread spins on */
  _Atomic uint64_t at_ns;
  _Atomic uint32_t rest; /* a futex: enum rest */
  int pauses;            /* in a row, up to PAUSE_DOUBLES */
};

static bool awake_is_near(uint64_t at_ns, uint64_t now_ns) {
  return now_ns + BEFORE_NS >= at_ns && now_ns < at_ns + AFTER_NS;
}

/* Returns at end_ns, or when awake_wake ends the rest. */
static void awake_rest_until(awake *a, enum rest rest, uint64_t end_ns) {
  struct timespec end = clock_timespec(end_ns);
  /* FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock; FUTEX_WAIT does not. */
  syscall(SYS_futex, &a->rest, FUTEX_WAIT_BITSET_PRIVATE, rest, end_ns == without_end ? NULL : &end,
          NULL, FUTEX_BITSET_MATCH_ANY);
}

/* Returns false when another task has taken the processor. */
static bool awake_spin(awake *a) {
  uint64_t began_ns = clock_now_ns(), before_ns = began_ns;
  /* No pause instruction: it tells a hypervisor that it may take the processor away. */
  for (uint64_t now_ns = began_ns; awake_is_near(a->at_ns, now_ns); now_ns = clock_now_ns()) {
    if (now_ns - before_ns > TAKEN_NS) return false;
    if (now_ns - began_ns > BEFORE_NS) a->pauses = 0;
    before_ns = now_ns;
  }
  return true;
}

/* Sets `rest` before it reads at_ns, so that an awake_at which comes later wakes the thread. */
static uint64_t awake_begin_rest(awake *a, enum rest rest) {
  a->rest = rest;
  return a->at_ns;
}

static void awake_pause_a_while(awake *a) {
  uint64_t length_ns = (uint64_t)PAUSE_NS << a->pauses;
  if (a->pauses < PAUSE_DOUBLES) a->pauses++;
  if (awake_begin_rest(a, REST_PAUSE) != closing)
    awake_rest_until(a, REST_PAUSE, clock_now_ns() + length_ns);
}

static void *awake_run(void *argument) {
  awake *a = argument;
  while (true) {
    uint64_t at_ns = awake_begin_rest(a, REST_SLEEP), now_ns = clock_now_ns();
    if (at_ns == closing) return NULL;
    /* A time that has passed needs no spinning: sleep until awake_at. */
    if (!awake_is_near(at_ns, now_ns))
      awake_rest_until(a, REST_SLEEP, at_ns <= now_ns ? without_end : at_ns - BEFORE_NS);
    a->rest = REST_NONE;
    if (!awake_spin(a)) awake_pause_a_while(a);
  }
}

static void awake_wake(awake *a) {
  a->rest = REST_NONE;
  syscall(SYS_futex, &a->rest, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void awake_follow(awake *a) {
  int processor = sched_getcpu();
  if (processor == a->processor || processor < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (pthread_setaffinity_np(a->thread, sizeof set, &set) == 0) a->processor = processor;
}

void awake_at(awake *a, uint64_t at_ns) {
  awake_follow(a);
  a->at_ns = at_ns;
  if (a->rest == REST_SLEEP) awake_wake(a);
}

/* Makes the kernel's descriptor table as large as it will ever be. Once threads share the table,
 * each growth takes about 10 ms: the kernel waits until no thread can still read the old table
 * (fs/file.c, expand_fdtable). */
static void awake_enlarge_descriptor_table(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
  rlim_t last = limit.rlim_cur < DESCRIPTORS_MOST ? limit.rlim_cur : DESCRIPTORS_MOST;
  int any = open("/", O_PATH | O_CLOEXEC);
  int high = fcntl(any, F_DUPFD_CLOEXEC, (int)last - 1);
  if (high != -1) close(high);
  if (any != -1) close(any);
}

/* The new thread blocks all signals, so that lunet's first thread handles them. */
static int awake_start(awake *a) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&a->thread, NULL, awake_run, a);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) return -error;
  pthread_setschedparam(a->thread, SCHED_IDLE, &(struct sched_param){.sched_priority = 0});
  return 0;
}

int awake_open(awake **out) {
  awake *a = calloc(1, sizeof *a);
  if (a == NULL) return -ENOMEM;
  a->processor = -1;
  awake_enlarge_descriptor_table();
  int result = awake_start(a);
  if (result < 0)
    free(a);
  else
    *out = a;
  return result;
}

void awake_close(awake *a) {
  a->at_ns = closing;
  awake_wake(a);
  pthread_join(a->thread, NULL);
  free(a);
}
