/* ghosts.c COUNT [ADDRESSES]: clients connect, send and leave, one after another, while nobody
 * accepts; then all are accepted and read to their end. The clients take turns with so many
 * addresses, 127.0.0.2 and the next ones: the ports of one are not enough for many ghosts. */
#include "loop.h"

static struct sockaddr_in server_address;
static struct watched client, listener;
static int left, ghosts, drained, addresses;

static int client_socket(int number) {
  int fd = new_socket(), one = 1;
  struct sockaddr_in from = loopback(0);
  if (addresses == 0) return fd;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number % addresses));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  check(bind(fd, (struct sockaddr *)&from, sizeof from), "bind");
  return fd;
}

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
    if (--left > 0) *w = (struct watched){.fd = client_socket(left), .step = fill_step};
  }
  is_running = false;
}

int main(int argc, char **argv) {
  left = ghosts = integer_argument(argc, argv, 1);
  if (argc > 2) addresses = integer_argument(argc, argv, 2);
  server_address = listen_on_loopback(&listener, ghosts);
  listener.step = accept_ghosts;
  struct span started = span_start();
  client = (struct watched){.fd = client_socket(left), .step = fill_step};
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
