/* stream.c MEBIBYTES [discard]: one connection, sends of 64 KiB one after another; the other end
 * reads to the end, or discards as much (MSG_TRUNC). */
#include "loop.h"

enum { CHUNK = 64 * 1024, ROUNDS = 32 }; /* how long one end may keep the loop with TRY_FIRST */

static struct watched source, sink;
static uint64_t left, received;
static int flags; /* of the receiving end */

static void send_some(struct watched *w) {
  static const char chunk[CHUNK];
  for (int round = 0; round < (TRIES_FIRST ? ROUNDS : 1) && left > 0; round++) {
    ssize_t sent = send(w->fd, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
    if (would_block(sent)) break;
    left -= (uint64_t)sent;
  }
  if (left > 0) return;
  close(w->fd);
}

static void receive_some(struct watched *w) {
  static char chunk[CHUNK];
  for (int round = 0; round < (TRIES_FIRST ? ROUNDS : 1); round++) {
    ssize_t size = recv(w->fd, chunk, sizeof chunk, flags);
    if (would_block(size)) return;
    received += (uint64_t)size;
    if (size == 0) {
      is_running = false;
      return;
    }
  }
}

int main(int argc, char **argv) {
  struct watched listener;
  uint64_t mebibytes = (uint64_t)integer_argument(argc, argv, 1);
  left = mebibytes * 1024 * 1024;
  flags = argc > 2 ? MSG_TRUNC : 0;
  struct sockaddr_in server = listen_on_loopback(&listener, 16);
  source = (struct watched){.fd = new_socket(), .step = send_some};
  while (!connect_to(source.fd, &server)) continue;
  sink = (struct watched){.fd = check(accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK), "accept"),
                          .step = receive_some};
  struct span started = span_start();
  await(&source, EPOLLOUT);
  await(&sink, EPOLLIN);
  run_loop();
  if (received != mebibytes * 1024 * 1024) check(-1, "not all arrived");
  print_rate((double)mebibytes, span_end(started));
}
