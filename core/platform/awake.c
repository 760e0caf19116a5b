#include "platform/awake.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"

/* It spins from so long before the time, since it needs to be woken itself, until so long after,
 * since the next time is often near: then it need not be woken again. */
enum { BEFORE_NS = 20 * 1000 * 1000, AFTER_NS = 1000 * 1000 };

static const uint64_t closing = UINT64_MAX;

struct awake {
  pthread_t thread;
  int processor; /* on which it spins */
  _Atomic uint64_t at_ns;
  _Atomic uint32_t asleep; /* a futex: 1 while the thread sleeps, or is about to */
};

static bool is_near(uint64_t at_ns) {
  uint64_t now_ns = clock_now_ns();
  return now_ns + BEFORE_NS >= at_ns && now_ns < at_ns + AFTER_NS;
}

/* Until the time is near, or until woken; a time that has passed is not waited for. */
static void sleep_until_near(awake *a, uint64_t at_ns) {
  bool is_past = at_ns <= clock_now_ns();
  uint64_t near_ns = at_ns - BEFORE_NS;
  struct timespec near = {.tv_sec = (time_t)(near_ns / 1000000000u),
                          .tv_nsec = (long)(near_ns % 1000000000u)};
  /* This kind takes an absolute time of the monotonic clock. */
  syscall(SYS_futex, &a->asleep, FUTEX_WAIT_BITSET_PRIVATE, 1, is_past ? NULL : &near, NULL,
          FUTEX_BITSET_MATCH_ANY);
}

static void *run(void *argument) {
  awake *a = argument;
  while (true) {
    a->asleep = 1; /* before at_ns is read: who sets it later will wake us */
    uint64_t at_ns = a->at_ns;
    if (at_ns == closing) return NULL;
    if (!is_near(at_ns)) sleep_until_near(a, at_ns);
    a->asleep = 0;
    /* No pause instruction: by it a hypervisor knows that the processor can be taken away. */
    while (is_near(a->at_ns)) continue;
  }
}

static void wake(awake *a) {
  if (atomic_exchange(&a->asleep, 0) == 1)
    syscall(SYS_futex, &a->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void follow(awake *a) {
  int processor = sched_getcpu();
  if (processor == a->processor || processor < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (pthread_setaffinity_np(a->thread, sizeof set, &set) == 0) a->processor = processor;
}

void awake_at(awake *a, uint64_t at_ns) {
  follow(a);
  a->at_ns = at_ns;
  wake(a);
}

/* Signals are for the thread that was there before. */
static int start(awake *a) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&a->thread, NULL, run, a);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) return -error;
  pthread_setschedparam(a->thread, SCHED_IDLE, &(struct sched_param){.sched_priority = 0});
  return 0;
}

int awake_open(awake **out) {
  awake *a = calloc(1, sizeof *a);
  if (a == NULL) return -ENOMEM;
  a->processor = -1;
  int result = start(a);
  if (result < 0)
    free(a);
  else
    *out = a;
  return result;
}

void awake_close(awake *a) {
  a->at_ns = closing;
  wake(a);
  pthread_join(a->thread, NULL);
  free(a);
}
