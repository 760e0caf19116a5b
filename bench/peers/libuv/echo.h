/* The echo server that churn and ping-pong share: one for libuv's guide would be like it. */
#ifndef BENCH_LIBUV_ECHO_H
#define BENCH_LIBUV_ECHO_H

#include <uv.h>

#include "../round.h"

struct served {
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_write_t write;
  uint64_t patience_ms; /* for each receive; 0: none */
  char data[MESSAGE];
};

static inline void served_free(uv_handle_t *handle) { free(handle->data); }

static inline void served_timer_closed(uv_handle_t *handle) {
  struct served *s = handle->data;
  uv_close((uv_handle_t *)&s->tcp, served_free);
}

static inline void served_close(struct served *s) {
  if (s->patience_ms == 0)
    uv_close((uv_handle_t *)&s->tcp, served_free);
  else if (!uv_is_closing((uv_handle_t *)&s->timer))
    uv_close((uv_handle_t *)&s->timer, served_timer_closed);
}

static inline void served_late(uv_timer_t *timer) { served_close(timer->data); }

static inline void served_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
  struct served *s = handle->data;
  (void)suggested;
  *room = uv_buf_init(s->data, sizeof s->data);
}

static inline void served_wait(struct served *s) {
  if (s->patience_ms > 0) uv_timer_start(&s->timer, served_late, s->patience_ms, 0);
}

static inline void served_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room) {
  struct served *s = stream->data;
  if (count < 0) {
    served_close(s);
    return;
  }
  if (count == 0) return;
  if (s->patience_ms > 0) uv_timer_stop(&s->timer);
  uv_buf_t reply = uv_buf_init(room->base, (unsigned)count);
  check(uv_write(&s->write, stream, &reply, 1, NULL), "write");
  served_wait(s);
}

static inline void serve(uv_stream_t *listener, uint64_t patience_ms) {
  struct served *s = calloc(1, sizeof *s);
  if (s == NULL) abort();
  s->patience_ms = patience_ms;
  s->tcp.data = s->timer.data = s;
  uv_tcp_init(listener->loop, &s->tcp);
  if (patience_ms > 0) uv_timer_init(listener->loop, &s->timer);
  check(uv_accept(listener, (uv_stream_t *)&s->tcp), "accept");
  check(uv_read_start((uv_stream_t *)&s->tcp, served_room, served_read), "read");
  served_wait(s);
}

/* Listens at a port of loopback's that the kernel chooses, and returns its address. */
static inline struct sockaddr_in listen_on_loopback(uv_tcp_t *listener, int backlog,
                                                    uv_connection_cb on_connection) {
  struct sockaddr_in at = loopback(0);
  int length = sizeof at;
  uv_tcp_init(uv_default_loop(), listener);
  check(uv_tcp_bind(listener, (struct sockaddr *)&at, 0), "bind");
  check(uv_listen((uv_stream_t *)listener, backlog, on_connection), "listen");
  uv_tcp_getsockname(listener, (struct sockaddr *)&at, &length);
  return at;
}

#endif
