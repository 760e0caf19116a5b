/* pingpong.c TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each
 * receive with a timeout that it does not need. */
#include "echo.h"

enum { PATIENCE_MS = 10000 };

struct client {
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_connect_t connect;
  uv_write_t write;
  uint64_t sent_ns;
  size_t received;
  char data[MESSAGE];
};

static uv_tcp_t listener;
static int trips_left, warm_up, connected, clients, closed;
static uint64_t *latencies;
static int latency_count;
static struct client *all;
static struct span started, took;
static char message[MESSAGE];

static void on_connection(uv_stream_t *server, int status) {
  check(status, "connection");
  serve(server, PATIENCE_MS);
}

static void on_late(uv_timer_t *timer) {
  (void)timer;
  check(-1, "timeout");
}

static void ping(struct client *c) {
  uv_buf_t data = uv_buf_init(message, sizeof message);
  c->received = 0;
  c->sent_ns = now_ns();
  check(uv_write(&c->write, (uv_stream_t *)&c->tcp, &data, 1, NULL), "write");
  uv_timer_start(&c->timer, on_late, PATIENCE_MS, 0);
}

static void finish(struct client *c) {
  uv_close((uv_handle_t *)&c->timer, NULL);
  uv_close((uv_handle_t *)&c->tcp, NULL);
  if (++closed < clients) return;
  took = span_end(started);
  uv_close((uv_handle_t *)&listener, NULL);
}

static void count(struct client *c) {
  if (warm_up > 0) {
    if (--warm_up == 0) started = span_start();
  } else {
    latencies[latency_count++] = now_ns() - c->sent_ns;
    trips_left--;
  }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  struct client *c = handle->data;
  (void)suggested;
  *room = uv_buf_init(c->data + c->received, (unsigned)(sizeof c->data - c->received));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
  struct client *c = stream->data;
  (void)room;
  check((int)size, "read");
  c->received += (size_t)size;
  if (c->received < MESSAGE) return;
  uv_timer_stop(&c->timer);
  if (trips_left > 0) count(c);
  if (trips_left > 0)
    ping(c);
  else
    finish(c);
}

static void on_connect(uv_connect_t *connect, int status) {
  struct client *c = connect->data;
  check(status, "connect");
  check(uv_read_start((uv_stream_t *)&c->tcp, give_room, on_read), "read");
  if (++connected < clients) return;
  for (int i = 0; i < clients; i++) ping(&all[i]);
}

int main(int argc, char **argv) {
  trips_left = integer_argument(argc, argv, 1);
  warm_up = trips_left / 10 + 1;
  clients = integer_argument(argc, argv, 2);
  latencies = calloc((size_t)trips_left, sizeof *latencies);
  all = calloc((size_t)clients, sizeof *all);
  struct sockaddr_in server = listen_on_loopback(&listener, 4096, on_connection);
  for (int i = 0; i < clients; i++) {
    struct client *c = &all[i];
    c->tcp.data = c->timer.data = c->connect.data = c;
    uv_timer_init(uv_default_loop(), &c->timer);
    uv_tcp_init(uv_default_loop(), &c->tcp);
    uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&server, on_connect);
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  print_latencies(latencies, latency_count, took);
}
