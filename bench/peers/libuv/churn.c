/* churn.c CYCLES CLIENTS: each client connects, sends, has it back and closes, and again. */
#include "echo.h"

struct client {
  uv_tcp_t tcp;
  uv_connect_t connect;
  uv_write_t write;
  size_t received;
  char data[MESSAGE];
};

static struct sockaddr_in server_address;
static uv_tcp_t listener;
static int cycles_left, clients_left;
static char message[MESSAGE];

static void start(struct client *c);

static void on_connection(uv_stream_t *server, int status) {
  check(status, "connection");
  serve(server, 0);
}

static void on_closed(uv_handle_t *handle) {
  if (cycles_left > 0)
    start(handle->data);
  else if (--clients_left == 0)
    uv_close((uv_handle_t *)&listener, NULL);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  struct client *c = handle->data;
  (void)suggested;
  *room = uv_buf_init(c->data + c->received, (unsigned)(sizeof c->data - c->received));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room) {
  struct client *c = stream->data;
  (void)room;
  check((int)count, "read");
  c->received += (size_t)count;
  if (c->received == MESSAGE) uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connect(uv_connect_t *connect, int status) {
  struct client *c = connect->data;
  uv_buf_t data = uv_buf_init(message, sizeof message);
  check(status, "connect");
  check(uv_write(&c->write, (uv_stream_t *)&c->tcp, &data, 1, NULL), "write");
  check(uv_read_start((uv_stream_t *)&c->tcp, give_room, on_read), "read");
}

static void start(struct client *c) {
  cycles_left--;
  c->received = 0;
  c->tcp.data = c->connect.data = c;
  uv_tcp_init(uv_default_loop(), &c->tcp);
  check(uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&server_address, on_connect),
        "connect");
}

static void run(int cycles, int clients) {
  struct client *all = calloc((size_t)clients, sizeof *all);
  cycles_left = cycles;
  clients_left = clients;
  server_address = listen_on_loopback(&listener, 1024, on_connection);
  for (int i = 0; i < clients; i++) start(&all[i]);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  free(all);
}

int main(int argc, char **argv) {
  int cycles = integer_argument(argc, argv, 1), clients = integer_argument(argc, argv, 2);
  run(cycles / 10 + clients, clients);
  struct span started = span_start();
  run(cycles, clients);
  print_rate(cycles, span_end(started));
}
