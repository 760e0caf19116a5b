#include "binding/event.h"

#include <string.h>

#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "platform/signal_name.h"

void event_set_text(struct event_fields *to, const char *name, const char *text) {
  if (text != NULL) to->set_text(to, name, text, strlen(text));
}

static void event_set_end(struct event_fields *to, const trace *t, const char *whole,
                          const char *port, const struct trace_end *e) {
  char text[ADDRESS_TEXT];
  address end;
  if (e->port == 0 || !trace_end_get(t, e, &end)) return;
  end = address_plain(&end); /* the form that segments and the other end have */
  event_set_text(to, whole, address_format(&end, text));
  to->set_integer(to, port, address_port(&end));
}

static void event_set_ends(struct event_fields *to, const trace *t, const struct trace_socket *s) {
  event_set_end(to, t, "local_address", "local_port", &s->local);
  event_set_text(to, "local_address", trace_label_text(t, s->path));
  event_set_end(to, t, "peer_address", "peer_port", &s->peer);
}

static void event_set_failure(struct event_fields *to, const struct event *e) {
  if (e->code < 0) event_set_text(to, "code", failure_name(e->code));
}

static void event_set_loss(struct event_fields *to, const struct event *e) {
  char flags[SEGMENT_FLAGS_TEXT];
  event_set_text(to, "cause", loss_names[e->code]);
  to->set_integer(to, "bytes", e->bytes);
  if (e->flags == 0) return;
  to->set_integer(to, "sequence", e->as.lost.sequence);
  to->set_integer(to, "acknowledgement", e->as.lost.acknowledgement);
  event_set_text(to, "flags", segment_flags(e->flags, flags));
}

static void event_set_depth(struct event_fields *to, const struct event *e) {
  to->set_integer(to, "depth", e->bytes);
  to->set_integer(to, "limit", e->code);
  if (e->as.drops > 0) to->set_integer(to, "drops", e->as.drops);
}

/* An exit status, or the name of a signal, which is negative. */
static void event_set_status(struct event_fields *to, const char *name, int64_t status) {
  char text[SIGNAL_TEXT];
  if (status >= 0)
    to->set_integer(to, name, status);
  else
    event_set_text(to, name, signal_name((int)-status, text));
}

static void event_set_call(struct event_fields *to, const struct event *e) {
  if (!e->has_text && e->as.since_ns != 0) to->set_time(to, "since", e->as.since_ns);
  if (e->kind == EVENT_EXIT) event_set_status(to, "status", e->bytes);
  if (e->kind == EVENT_SIGNAL) event_set_status(to, "signal", -e->bytes);
  if (e->kind == EVENT_SIGNAL && e->code > 0) to->set_integer(to, "only", e->code);
  if (e->kind == EVENT_SHUTDOWN) event_set_text(to, "how", connection_hows[e->bytes]);
  to->set_integer(to, "bytes", e->kind == EVENT_SHUTDOWN ? 0 : e->bytes);
  event_set_failure(to, e);
}

/* Kinds with a socket differ in these. */
static void event_set_more(struct event_fields *to, const struct event *e) {
  switch (e->kind) {
  case EVENT_FOUND:
  case EVENT_GONE:
  case EVENT_DROP: return;
  case EVENT_DROP_END: to->set_integer(to, "segments", e->bytes); return;
  case EVENT_QUEUE: event_set_depth(to, e); return;
  default: event_set_call(to, e);
  }
}

static const char *const streams[] = {NULL, "stdin", "stdout", "stderr"};

void event_describe(const trace *t, const struct event *e, struct event_fields *to) {
  to->set_time(to, "at", e->at_ns);
  event_set_text(to, "kind", event_names[e->kind]);
  if (e->kind == EVENT_NOTE) { /* perhaps with zeros */
    to->set_text(to, "text", event_text(e) == NULL ? "" : e->as.text, (size_t)e->bytes);
    return;
  }
  to->set_integer(to, "host", e->socket.host);
  event_set_text(to, "label", trace_label_text(t, e->socket.label));
  event_set_text(to, "text", event_text(e));
  if (e->kind == EVENT_COUNTERS || e->kind == EVENT_SOCKETS) {
    event_set_failure(to, e);
    return;
  }
  event_set_ends(to, t, &e->socket);
  if (e->kind == EVENT_LOSS) {
    event_set_loss(to, e);
    return;
  }
  to->set_integer(to, "socket", e->socket.id);
  event_set_text(to, "stream", streams[e->socket.stream]);
  event_set_more(to, e);
}

/* -- a table --------------------------------------------------------------------------------- */

static lua_State *event_state(struct event_fields *to) {
  return LIST_ENTRY(to, struct event_table, fields)->L;
}

static void event_set_field(struct event_fields *to, const char *name, const char *text,
                            size_t length) {
  lua_State *L = event_state(to);
  lua_pushlstring(L, text, length);
  lua_setfield(L, -2, name);
}

static void event_set_integer(struct event_fields *to, const char *name, int64_t value) {
  field_set_integer(event_state(to), name, value);
}

static void event_set_time(struct event_fields *to, const char *name, uint64_t at_ns) {
  field_set_number(event_state(to), name, (lua_Number)at_ns / 1e9);
}

static void event_set_true(struct event_fields *to, const char *name) {
  field_set_boolean(event_state(to), name, true);
}

static void event_set_bytes(struct event_fields *to, const char *name, const uint8_t *bytes,
                            size_t length) {
  event_set_field(to, name, (const char *)bytes, length);
}

struct event_table event_table_of(lua_State *L) {
  return (struct event_table){
    {event_set_field, event_set_integer, event_set_time, event_set_true, event_set_bytes}, L};
}
