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
  assert_true(tasks != NULL);
  for (struct dirent *d; (d = readdir(tasks)) != NULL;)
    if (d->d_name[0] != '.' && atoi(d->d_name) != getpid()) found = atoi(d->d_name);
  closedir(tasks);
  return found;
}

static char state_of(pid_t thread) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  FILE *file = fopen(path, "r");
  assert_true(file != NULL && fgets(text, sizeof text, file) != NULL);
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
    assert_true(clock_now_ns() < bound_ns);
    pause_ms();
  }
}

static awake *open_awake(void) {
  awake *a;
  assert_true(awake_open(&a) == 0);
  return a;
}

TEST(runs_when_nothing_else_does) {
  awake *a = open_awake();
  pid_t thread = other_thread();
  assert_true(thread != 0);
  assert_true(sched_getscheduler(thread) == SCHED_IDLE);
  awake_close(a);
}

TEST(spins_shortly_before) {
  awake *a = open_awake();
  uint64_t before_ns = cpu_ns(), bound_ns = clock_now_ns() + 30 * SECOND;
  while (cpu_ns() < before_ns + MS) {
    assert_true(clock_now_ns() < bound_ns);
    awake_at(a, clock_now_ns() + 5 * MS);
    pause_ms();
  }
  awake_close(a);
}

TEST(sleeps_otherwise) {
  awake *a = open_awake();
  pid_t thread = other_thread();
  wait_until_asleep(thread); /* the time is past */
  awake_at(a, clock_now_ns() + 1000 * SECOND);
  wait_until_asleep(thread); /* the time is far */
  awake_close(a);
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
TEST(gives_way) {
  awake *a = open_awake();
  pid_t thread = other_thread();
  uint64_t bound_ns = clock_now_ns() + 30 * SECOND;
  cpu_set_t all, own;
  CPU_ZERO(&own);
  CPU_SET(sched_getcpu(), &own);
  assert_true(sched_getaffinity(0, sizeof all, &all) == 0);
  assert_true(sched_setaffinity(0, sizeof own, &own) == 0);
  while (!has_given_way(a, thread)) {
    assert_true(clock_now_ns() < bound_ns);
    run_for(5 * MS);
    pause_ms();
  }
  assert_true(sched_setaffinity(0, sizeof all, &all) == 0);
  awake_close(a);
}

/* How many descriptors the kernel's table has room for. */
static int descriptor_room(void) {
  char line[256];
  int room = 0;
  FILE *file = fopen("/proc/self/status", "r");
  assert_true(file != NULL);
  while (fgets(line, sizeof line, file) != NULL && sscanf(line, "FDSize: %d", &room) != 1) continue;
  fclose(file);
  return room;
}

TEST(has_room_for_descriptors) {
  struct rlimit limit;
  awake *a = open_awake();
  assert_true(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  assert_true(descriptor_room() >= (limit.rlim_cur < 32768 ? (int)limit.rlim_cur : 32768));
  awake_close(a);
}

TEST(ends_at_any_moment) {
  for (int i = 0; i < 2000; i++) {
    awake *a;
    assert_true(awake_open(&a) == 0);
    if (i % 3 == 1) awake_at(a, clock_now_ns() + 10 * MS);
    if (i % 3 == 2) awake_at(a, clock_now_ns() + 1000 * SECOND);
    awake_close(a);
  }
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(runs_when_nothing_else_does),
    cmocka_unit_test(has_room_for_descriptors),
    cmocka_unit_test(spins_shortly_before),
    cmocka_unit_test(sleeps_otherwise),
    cmocka_unit_test(gives_way),
    cmocka_unit_test(ends_at_any_moment),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
