/* idle.c PAIRS: connections of which one end each waits for data; how much memory a pair takes. */
#include "echo.h"

struct pair {
  uv_tcp_t near, far;
  uv_connect_t connect;
};

static uv_tcp_t listener;
static int pairs, next_pair, ready;
static struct sockaddr_in server_address;
static struct pair **all;
static double before;
static char room_memory[MESSAGE];

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  (void)handle, (void)suggested;
  *room = uv_buf_init(room_memory, sizeof room_memory);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room) {
  (void)stream, (void)count, (void)room;
}

static void start(void) {
  struct pair *p = all[next_pair++] = malloc(sizeof *p);
  uv_tcp_init(uv_default_loop(), &p->near);
  check(uv_tcp_connect(&p->connect, &p->near, (struct sockaddr *)&server_address, NULL), "connect");
}

static void on_connection(uv_stream_t *server, int status) {
  check(status, "connection");
  struct pair *p = all[ready++];
  uv_tcp_init(uv_default_loop(), &p->far);
  check(uv_accept(server, (uv_stream_t *)&p->far), "accept");
  check(uv_read_start((uv_stream_t *)&p->far, give_room, on_read), "read");
  if (ready < pairs)
    start();
  else
    uv_stop(uv_default_loop());
}

int main(int argc, char **argv) {
  pairs = integer_argument(argc, argv, 1);
  server_address = listen_on_loopback(&listener, 1024, on_connection);
  all = calloc((size_t)pairs, sizeof(struct pair *));
  before = resident_bytes();
  start();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("{\"bytes\": %.0f}\n", (resident_bytes() - before) / pairs);
  fflush(stdout);
  _Exit(0);
}
