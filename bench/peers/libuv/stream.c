/* stream.c MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the
 * end. */
#include "echo.h"

enum { CHUNK = 64 * 1024 };

static uv_tcp_t listener, source, sink;
static uv_connect_t connecting;
static uv_write_t writing;
static uv_shutdown_t shutting;
static uint64_t chunks_left, received;
static struct span started, took;
static char chunk[CHUNK], room_memory[CHUNK];

static void on_shutdown(uv_shutdown_t *unused, int status) {
  (void)unused;
  check(status, "shutdown");
  uv_close((uv_handle_t *)&source, NULL);
}

static void on_written(uv_write_t *write, int status) {
  uv_buf_t data = uv_buf_init(chunk, sizeof chunk);
  check(status, "write");
  if (chunks_left-- > 0)
    check(uv_write(write, (uv_stream_t *)&source, &data, 1, on_written), "write");
  else
    check(uv_shutdown(&shutting, (uv_stream_t *)&source, on_shutdown), "shutdown");
}

static void on_connect(uv_connect_t *unused, int status) {
  (void)unused;
  check(status, "connect");
  started = span_start();
  on_written(&writing, 0);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  (void)handle, (void)suggested;
  *room = uv_buf_init(room_memory, sizeof room_memory);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room) {
  (void)room;
  if (size >= 0) {
    received += (uint64_t)size;
    return;
  }
  took = span_end(started);
  uv_close((uv_handle_t *)stream, NULL);
  uv_close((uv_handle_t *)&listener, NULL);
}

static void on_connection(uv_stream_t *server, int status) {
  check(status, "connection");
  uv_tcp_init(uv_default_loop(), &sink);
  check(uv_accept(server, (uv_stream_t *)&sink), "accept");
  check(uv_read_start((uv_stream_t *)&sink, give_room, on_read), "read");
}

int main(int argc, char **argv) {
  uint64_t mebibytes = (uint64_t)integer_argument(argc, argv, 1);
  chunks_left = mebibytes * 16;
  struct sockaddr_in server = listen_on_loopback(&listener, 16, on_connection);
  uv_tcp_init(uv_default_loop(), &source);
  check(uv_tcp_connect(&connecting, &source, (struct sockaddr *)&server, on_connect), "connect");
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  if (received != mebibytes * 1024 * 1024) check(-1, "not all arrived");
  print_rate((double)mebibytes, took);
}
