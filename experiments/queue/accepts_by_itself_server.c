/* A server that is stuck: accepts_by_itself_server PORT BACKLOG accept|multishot. It listens, orders io_uring's
 * multishot accept if asked to, says "ready", and does nothing more. */
#include <arpa/inet.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_listener(int port, int backlog) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (listener == -1 || bind(listener, (struct sockaddr *)&address, sizeof address) == -1 ||
      listen(listener, backlog) == -1) {
    perror("listen");
    exit(1);
  }
  return listener;
}

static void order_accepts(int listener, struct io_uring *ring) {
  int result = io_uring_queue_init(64, ring, 0);
  if (result == 0) {
    io_uring_prep_multishot_accept(io_uring_get_sqe(ring), listener, NULL, NULL, 0);
    result = io_uring_submit(ring);
  }
  if (result >= 0) return;
  printf("io_uring: %s\n", strerror(-result));
  exit(1);
}

int main(int argc, char **argv) {
  struct io_uring ring;
  if (argc != 4) return 2;
  int listener = open_listener(atoi(argv[1]), atoi(argv[2]));
  if (strcmp(argv[3], "multishot") == 0) order_accepts(listener, &ring);
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
