/* pingpong.c TRIPS: on one connection, 64 bytes there and back. Without timeouts, which epoll(7)
 * has none of for a descriptor: how fast it could be. */
#include "echo.h"

static void *accepted(int listener_fd) {
  struct watched *w = calloc(1, sizeof *w);
  if (w == NULL) abort();
  w->fd = check(accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept");
  w->step = echo_step;
  await(w, EPOLLIN);
  return w;
}

static struct watched client;
static uint64_t *latencies, sent_ns;
static int trips_left, warm_up, latency_count;
static size_t received;
static struct span started, took;

static void ping(void) {
  static const char message[MESSAGE];
  received = 0;
  sent_ns = now_ns();
  check((int)send(client.fd, message, sizeof message, MSG_NOSIGNAL), "send");
}

/* Whether there is another round trip to make. */
static bool count_trip(void) {
  if (warm_up > 0) {
    if (--warm_up == 0) started = span_start();
    return true;
  }
  latencies[latency_count++] = now_ns() - sent_ns;
  if (--trips_left > 0) return true;
  took = span_end(started);
  is_running = false;
  return false;
}

static void step(struct watched *w) {
  char data[MESSAGE];
  do {
    ssize_t size = recv(w->fd, data, sizeof data - received, 0);
    if (would_block(size)) return;
    received += (size_t)size;
    if (received < MESSAGE) continue;
    if (!count_trip()) return;
    ping();
  } while (TRIES_FIRST);
}

int main(int argc, char **argv) {
  struct watched listener;
  trips_left = integer_argument(argc, argv, 1);
  warm_up = trips_left / 10 + 1;
  latencies = calloc((size_t)trips_left, sizeof *latencies);
  struct sockaddr_in server = listen_on_loopback(&listener, 16);
  client = (struct watched){.fd = new_socket(), .step = step};
  while (!connect_to(client.fd, &server)) continue;
  await(&client, EPOLLIN);
  void *served = accepted(listener.fd);
  ping();
  run_loop();
  free(served);
  print_latencies(latencies, latency_count, took);
}
