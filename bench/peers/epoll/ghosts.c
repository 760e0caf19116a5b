/* ghosts.c COUNT: clients connect, send and leave, one after another, while nobody accepts; then
 * all are accepted and read to their end. */
#include "loop.h"

static struct sockaddr_in server_address;
static struct watched client, listener;
static int left, ghosts, drained;

static void drain_step(struct watched *w) {
  char data[MESSAGE];
  ssize_t size;
  do {
    size = recv(w->fd, data, sizeof data, 0);
    if (would_block(size)) {
      await(w, EPOLLIN);
      return;
    }
  } while (size > 0 && TRIES_FIRST);
  if (size > 0) return;
  close(w->fd);
  free(w);
  if (++drained == ghosts) is_running = false;
}

static void accept_ghosts(struct watched *server) {
  for (;;) {
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (would_block(fd)) return;
    struct watched *w = calloc(1, sizeof *w);
    if (w == NULL) abort();
    w->fd = fd;
    w->step = drain_step;
    go_on(w, EPOLLIN);
  }
}

static void fill_step(struct watched *w) {
  static const char message[MESSAGE];
  while (left > 0) {
    if (!connect_to(w->fd, &server_address)) {
      await(w, EPOLLOUT);
      return;
    }
    check((int)send(w->fd, message, sizeof message, MSG_NOSIGNAL), "send");
    close(w->fd);
    if (--left > 0) *w = (struct watched){.fd = new_socket(), .step = fill_step};
  }
  is_running = false;
}

int main(int argc, char **argv) {
  left = ghosts = integer_argument(argc, argv, 1);
  server_address = listen_on_loopback(&listener, ghosts);
  listener.step = accept_ghosts;
  struct span started = span_start();
  client = (struct watched){.fd = new_socket(), .step = fill_step};
  fill_step(&client);
  if (left > 0) run_loop();
  struct span fill = span_end(started);
  started = span_start();
  await(&listener, EPOLLIN);
  run_loop();
  struct span drain = span_end(started);
  printf("{\"fill\": %.1f, \"cpu_fill\": %.1f, \"drain\": %.1f, \"cpu_drain\": %.1f}\n",
         per_second(ghosts, fill.wall_ns), per_second(ghosts, fill.cpu_ns),
         per_second(ghosts, drain.wall_ns), per_second(ghosts, drain.cpu_ns));
}
