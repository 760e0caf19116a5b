/* The thread that keeps a processor awake: it spins only shortly before a time, without being in
 * anybody's way, and ends when it is told to, whatever it is doing. */
#include "platform/awake.h"

#include <dirent.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "platform/clock.h"

#define MS 1000000ull
#define SECOND 1000000000ull

static void pause_ms(void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

/* The only other thread of this process. */
static pid_t other_thread(void) {
  pid_t found = 0;
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  for (struct dirent *d; (d = readdir(tasks)) != NULL;)
    if (d->d_name[0] != '.' && atoi(d->d_name) != getpid()) found = atoi(d->d_name);
  closedir(tasks);
  return found;
}

static char state_of(pid_t thread) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  FILE *file = fopen(path, "r");
  CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
  fclose(file);
  return strrchr(text, ')')[2];
}

static uint64_t cpu_ns(void) {
  struct timespec used, own;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
  return (uint64_t)(used.tv_sec - own.tv_sec) * SECOND + (uint64_t)used.tv_nsec -
         (uint64_t)own.tv_nsec;
}

static void wait_until_asleep(pid_t thread) {
  uint64_t bound_ns = clock_now_ns() + 10 * SECOND;
  while (state_of(thread) != 'S') {
    CHECK(clock_now_ns() < bound_ns);
    pause_ms();
  }
}

static void spins_shortly_before(awake *a) {
  uint64_t before_ns = cpu_ns(), bound_ns = clock_now_ns() + 30 * SECOND;
  while (cpu_ns() < before_ns + MS) {
    CHECK(clock_now_ns() < bound_ns);
    awake_at(a, clock_now_ns() + 5 * MS);
    pause_ms();
  }
}

static void sleeps_otherwise(awake *a, pid_t thread) {
  wait_until_asleep(thread); /* the time is past */
  awake_at(a, clock_now_ns() + 1000 * SECOND);
  wait_until_asleep(thread); /* the time is far */
}

static void ends_at_any_moment(void) {
  for (int i = 0; i < 2000; i++) {
    awake *a;
    CHECK(awake_open(&a) == 0);
    if (i % 3 == 1) awake_at(a, clock_now_ns() + 10 * MS);
    if (i % 3 == 2) awake_at(a, clock_now_ns() + 1000 * SECOND);
    awake_close(a);
  }
}

int main(void) {
  awake *a;
  CHECK(awake_open(&a) == 0);
  pid_t thread = other_thread();
  CHECK(thread != 0);
  CHECK(sched_getscheduler(thread) == SCHED_IDLE);
  spins_shortly_before(a);
  sleeps_otherwise(a, thread);
  awake_close(a);
  ends_at_any_moment();
  return 0;
}
