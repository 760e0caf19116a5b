#include "binding/capture.h"

#include <lauxlib.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/event.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/capture.h"
#include "platform/address.h"

const char CAPTURE_TYPE[] = "lunet.capture";

int capture_new(lua_State *L) {
  lua_Integer most = luaL_checkinteger(L, 2);
  luaL_argcheck(L, most >= 1 && most <= INT32_MAX, 2, "how many segments to keep, 1 or more");
  capture **box = type_new_box(L, CAPTURE_TYPE, 0);
  host *h = host_check(L, 1);
  struct place p = host_place(L, h, NULL);
  int result = capture_open(task_loop(L), &p, h, (uint32_t)most, box);
  if (result < 0) return failure_push(L, result, lua_pushfstring(L, "capture of %s", host_name(h)));
  anchor_add(L, -1, *box);
  return 1;
}

/* -- segments ------------------------------------------------------------------------------ */

static void capture_set_endpoint(struct event_fields *to, const char *field,
                                 const struct segment *s, const uint8_t *bytes, uint16_t port) {
  char text[ADDRESS_TEXT];
  address a = address_of_bytes(s->is_ipv6 ? AF_INET6 : AF_INET, bytes, port);
  event_set_text(to, field, address_format(&a, text));
}

static void capture_set_options(struct event_fields *to, const struct segment *s) {
  struct segment_options o;
  segment_read_options(s, &o);
  if (o.has_mss) to->set_integer(to, "mss", o.mss);
  if (o.has_scale) to->set_integer(to, "window_scale", o.scale);
  if (o.sack_permitted) to->set_true(to, "sack_permitted");
  if (o.has_timestamps) {
    to->set_integer(to, "timestamp", o.timestamp);
    to->set_integer(to, "echo", o.echo);
  }
  if (o.has_cookie) to->set_bytes(to, "cookie", o.cookie, o.cookie_length);
}

void capture_describe(const struct segment *s, struct event_fields *to) {
  char flags[SEGMENT_FLAGS_TEXT];
  event_set_text(to, "direction", s->is_outgoing ? "out" : "in");
  if (s->at_loopback) to->set_true(to, "at_loopback");
  capture_set_endpoint(to, "from", s, s->from, s->from_port);
  capture_set_endpoint(to, "to", s, s->to, s->to_port);
  event_set_text(to, "flags", segment_flags(s->flags, flags));
  to->set_integer(to, "sequence", s->sequence);
  to->set_integer(to, "acknowledgement", s->acknowledgement);
  to->set_integer(to, "bytes", s->bytes);
  to->set_integer(to, "window", s->window);
  to->set_integer(to, "length", s->length);
  capture_set_options(to, s);
}

void capture_push_segment(lua_State *L, const struct segment *s) {
  lua_createtable(L, 0, 16);
  struct event_table table = event_table_of(L);
  table.fields.set_time(&table.fields, "at", s->at_ns);
  capture_describe(s, &table.fields);
  lua_pushlstring(L, (const char *)s->packet, s->captured);
  lua_setfield(L, -2, "packet");
}

/* A finalizer may read more segments while this makes tables: the ring then moves on, and loses
 * its oldest segments. */
static int capture_segments(lua_State *L) {
  capture *c = box_check(L, 1, CAPTURE_TYPE);
  lua_Integer wanted = luaL_optinteger(L, 2, 0), count = 0;
  luaL_argcheck(L, wanted >= 0, 2, "segments are numbered from 0");
  int result = c == NULL ? 0 : capture_read(c);
  if (result < 0) return failure_push(L, result, "segments");
  uint64_t next = c == NULL ? 0 : capture_next(c), number = (uint64_t)wanted;
  lua_newtable(L);
  for (; number < next; number++) {
    if (number < capture_first(c)) number = capture_first(c);
    if (number >= next) break;
    struct segment s = *capture_segment(c, number);
    capture_push_segment(L, &s);
    field_set_integer(L, "number", (lua_Integer)number);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int capture_statistics(lua_State *L) {
  capture *c = box_check(L, 1, CAPTURE_TYPE);
  if (c != NULL) capture_read(c);
  lua_createtable(L, 0, 4);
  field_set_integer(L, "seen", c == NULL ? 0 : (lua_Integer)capture_next(c));
  field_set_integer(L, "forgotten", c == NULL ? 0 : (lua_Integer)capture_first(c));
  field_set_integer(L, "dropped", c == NULL ? 0 : (lua_Integer)capture_dropped(c));
  field_set_number(L, "error", c == NULL ? 0 : (lua_Number)capture_error_ns(c) / 1e9);
  return 1;
}

static const luaL_Reg methods[] = {
  {"segments", capture_segments}, {"statistics", capture_statistics}, {NULL, NULL}};

void capture_open_type(lua_State *L) { box_open_type(L, CAPTURE_TYPE, methods, NULL); }
