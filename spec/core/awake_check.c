/* The thread that keeps a processor awake: it spins only shortly before a time, without being in
 * anybody's way, and ends when it is told to, whatever it is doing. */
#include "platform/awake.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
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

static void run_for(uint64_t span_ns) {
  for (uint64_t end_ns = clock_now_ns() + span_ns; clock_now_ns() < end_ns;) continue;
}

/* Whether it sleeps though a time is near. */
static bool has_given_way(awake *a, pid_t thread) {
  uint64_t at_ns = clock_now_ns() + 15 * MS;
  awake_at(a, at_ns);
  pause_ms();
  bool sleeps = state_of(thread) == 'S';
  return sleeps && clock_now_ns() < at_ns;
}

/* This thread takes the processor from it. */
static void gives_way(awake *a, pid_t thread) {
  uint64_t bound_ns = clock_now_ns() + 30 * SECOND;
  cpu_set_t all, own;
  CPU_ZERO(&own);
  CPU_SET(sched_getcpu(), &own);
  CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
  CHECK(sched_setaffinity(0, sizeof own, &own) == 0);
  while (!has_given_way(a, thread)) {
    CHECK(clock_now_ns() < bound_ns);
    run_for(5 * MS);
    pause_ms();
  }
  CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

/* How many descriptors the kernel's table has room for. */
static int descriptor_room(void) {
  char line[256];
  int room = 0;
  FILE *file = fopen("/proc/self/status", "r");
  CHECK(file != NULL);
  while (fgets(line, sizeof line, file) != NULL && sscanf(line, "FDSize: %d", &room) != 1) continue;
  fclose(file);
  return room;
}

static void has_room_for_descriptors(void) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(descriptor_room() >= (limit.rlim_cur < 32768 ? (int)limit.rlim_cur : 32768));
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
  has_room_for_descriptors();
  spins_shortly_before(a);
  sleeps_otherwise(a, thread);
  gives_way(a, thread);
  awake_close(a);
  ends_at_any_moment();
  return 0;
}
