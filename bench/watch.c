/* watch.c TRIPS: what it costs to wait for a descriptor, by uv_poll and by an edge-triggered epoll
 * set as core/handle/watch.c keeps it. A byte goes there and back between two sockets; each end
 * tries to read first, and waits when there is nothing. Prints the time of a round trip.
 *
 *     script/build release && cmake --build build/release --target bench
 *     build/release/bench/watch/watch 100000
 *     strace -c build/release/bench/watch/watch 1000 uv_poll     (the system calls; or epoll)
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

static int ends[2], trips;
static long left;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void send_byte(int end) { check((int)write(ends[end], "x", 1), "write"); }

/* Whether there was one. */
static bool take_byte(int end) {
  char byte;
  ssize_t length = read(ends[end], &byte, 1);
  if (length == -1 && errno == EAGAIN) return false;
  check((int)length, "read");
  return true;
}

/* -- uv_poll: started for each wait, stopped when it is over ------------------------------- */

static uv_poll_t polls[2];

static void on_poll(uv_poll_t *poll, int status, int events);

static void wait_by_uv_poll(int end) {
  check(uv_poll_start(&polls[end], UV_READABLE, on_poll), "uv_poll_start");
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  int end = poll == &polls[1];
  (void)status, (void)events;
  if (!take_byte(end)) return;
  uv_poll_stop(poll);
  if (end == 0 && --left == 0) {
    uv_stop(poll->loop);
    return;
  }
  send_byte(end);
  if (!take_byte(end)) wait_by_uv_poll(end);
}

static void run_uv_poll(void) {
  uv_loop_t loop;
  check(uv_loop_init(&loop), "uv_loop_init");
  for (int end = 0; end < 2; end++)
    check(uv_poll_init(&loop, &polls[end], ends[end]), "uv_poll_init");
  wait_by_uv_poll(0);
  wait_by_uv_poll(1);
  send_byte(0);
  uv_run(&loop, UV_RUN_DEFAULT);
}

/* -- an epoll set: entered at the first wait, told of each edge ---------------------------- */

static void run_epoll(void) {
  struct epoll_event ready[2];
  int set = epoll_create1(EPOLL_CLOEXEC);
  for (int end = 0; end < 2; end++) {
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET,
                                 .data.fd = end};
    check(epoll_ctl(set, EPOLL_CTL_ADD, ends[end], &wanted), "epoll_ctl");
  }
  send_byte(0);
  while (left > 0) {
    int count = epoll_wait(set, ready, 2, -1);
    for (int i = 0; i < count && left > 0; i++) {
      int end = ready[i].data.fd;
      if (!take_byte(end)) continue;
      if (end == 0 && --left == 0) break;
      send_byte(end);
      take_byte(end); /* the answer has not come yet */
    }
  }
  close(set);
}

static void measure(const char *name, void (*run)(void)) {
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), "socketpair");
  left = trips;
  uint64_t began_ns = now_ns();
  run();
  printf("%-8s %.2f us a round trip\n", name, (double)(now_ns() - began_ns) / 1e3 / trips);
  close(ends[0]);
  close(ends[1]);
}

int main(int count, char **words) {
  trips = count > 1 ? atoi(words[1]) : 100000;
  const char *only = count > 2 ? words[2] : "";
  if (trips < 1) return 2;
  if (strcmp(only, "epoll") != 0) measure("uv_poll", run_uv_poll);
  if (strcmp(only, "uv_poll") != 0) measure("epoll", run_epoll);
  return 0;
}
