/* ghosts.c COUNT: clients connect, send and leave, one after another, while nobody accepts; then
 * all are accepted and read to their end. libuv has accepted the first of them by itself, and stops
 * there until it is fetched. */
#include "echo.h"

struct ghost {
  uv_tcp_t tcp;
  char data[MESSAGE];
};

static struct sockaddr_in server_address;
static uv_tcp_t listener, client;
static uv_connect_t connecting;
static uv_write_t writing;
static int left, ghosts, drained;
static bool is_draining;
static struct span started, fill, drain;
static char message[MESSAGE];

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  (void)suggested;
  *room = uv_buf_init(((struct ghost *)handle)->data, MESSAGE);
}

static void on_ghost_closed(uv_handle_t *handle) {
  free(handle);
  if (++drained < ghosts) return;
  drain = span_end(started);
  uv_close((uv_handle_t *)&listener, NULL);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room) {
  (void)room;
  if (count < 0) uv_close((uv_handle_t *)stream, on_ghost_closed);
}

static void accept_ghost(uv_stream_t *server) {
  struct ghost *g = malloc(sizeof *g);
  if (g == NULL) abort();
  uv_tcp_init(uv_default_loop(), &g->tcp);
  check(uv_accept(server, (uv_stream_t *)&g->tcp), "accept");
  check(uv_read_start((uv_stream_t *)&g->tcp, give_room, on_read), "read");
}

static void on_connection(uv_stream_t *server, int status) {
  check(status, "connection");
  if (is_draining) accept_ghost(server);
}

static void start(void);

static void on_client_closed(uv_handle_t *handle) {
  (void)handle;
  if (left > 0) {
    start();
    return;
  }
  fill = span_end(started);
  started = span_start();
  is_draining = true;
  accept_ghost((uv_stream_t *)&listener); /* the first; libuv goes on with the others */
}

static void on_written(uv_write_t *unused, int status) {
  (void)unused;
  check(status, "write");
  uv_close((uv_handle_t *)&client, on_client_closed);
}

static void on_connect(uv_connect_t *unused, int status) {
  uv_buf_t data = uv_buf_init(message, sizeof message);
  (void)unused;
  check(status, "connect");
  check(uv_write(&writing, (uv_stream_t *)&client, &data, 1, on_written), "write");
}

static void start(void) {
  left--;
  uv_tcp_init(uv_default_loop(), &client);
  check(uv_tcp_connect(&connecting, &client, (struct sockaddr *)&server_address, on_connect),
        "connect");
}

int main(int argc, char **argv) {
  left = ghosts = integer_argument(argc, argv, 1);
  server_address = listen_on_loopback(&listener, ghosts, on_connection);
  started = span_start();
  start();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("{\"fill\": %.1f, \"cpu_fill\": %.1f, \"drain\": %.1f, \"cpu_drain\": %.1f}\n",
         per_second(ghosts, fill.wall_ns), per_second(ghosts, fill.cpu_ns),
         per_second(ghosts, drain.wall_ns), per_second(ghosts, drain.cpu_ns));
}
