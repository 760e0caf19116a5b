/* churn.c CYCLES CLIENTS: each client connects, sends, has it back and closes, and again. */
#include "echo.h"

struct client {
  struct watched watched;
  bool is_connected;
  size_t received;
};

static struct sockaddr_in server_address;
static int cycles_left, clients_left;

static void start(struct client *c);
static void step(struct watched *w);

/* Not by recursion: with TRY_FIRST many cycles could follow one another. */
static bool restart(struct client *c) {
  close(c->watched.fd);
  if (cycles_left > 0) {
    start(c);
    return true;
  }
  if (--clients_left == 0) is_running = false;
  return false;
}

static bool connected(struct client *c) {
  static const char message[MESSAGE];
  if (c->is_connected) return true;
  if (!connect_to(c->watched.fd, &server_address)) {
    await(&c->watched, EPOLLOUT);
    return false;
  }
  c->is_connected = true;
  check((int)send(c->watched.fd, message, sizeof message, MSG_NOSIGNAL), "send");
  if (TRIES_FIRST) return true;
  await(&c->watched, EPOLLIN);
  return false;
}

static void step(struct watched *w) {
  struct client *c = (struct client *)w;
  char data[MESSAGE];
  do {
    if (!connected(c)) return;
    ssize_t size = recv(w->fd, data, sizeof data - c->received, 0);
    if (would_block(size)) {
      await(w, EPOLLIN);
      return;
    }
    c->received += (size_t)size;
  } while (c->received < MESSAGE || restart(c));
}

static void start(struct client *c) {
  cycles_left--;
  *c = (struct client){.watched = {.fd = new_socket(), .step = step}};
}

static void run(int cycles, int clients) {
  struct watched listener = {.step = echo_accept};
  struct client *all = calloc((size_t)clients, sizeof *all);
  cycles_left = cycles;
  clients_left = clients;
  server_address = listen_on_loopback(&listener, 1024);
  await(&listener, EPOLLIN);
  for (int i = 0; i < clients; i++) {
    start(&all[i]);
    step(&all[i].watched);
  }
  run_loop();
  close(listener.fd);
  free(all);
}

int main(int argc, char **argv) {
  int cycles = integer_argument(argc, argv, 1), clients = integer_argument(argc, argv, 2);
  run(cycles / 10 + clients, clients);
  struct span started = span_start();
  run(cycles, clients);
  print_rate(cycles, span_end(started));
}
