#include "binding/hand.h"

#include <lauxlib.h>
#include <string.h>

#include "binding/box.h"
#include "binding/capture.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/misuse.h"
#include "binding/task.h"
#include "handle/wire.h"
#include "platform/craft.h"

const char WIRE_TYPE[] = "lunet.wire";

/* -- filters ------------------------------------------------------------------------------- */

static const lua_Number MOST = 0x1p53;

static struct network_filter hand_network_field(lua_State *L, int index, const char *field) {
  struct network_filter f = {.bits = -1};
  const char *text = field_get_string(L, index, field, NULL);
  if (text == NULL) return f;
  f.bits = address_parse_prefixed(text, &f.address);
  if (f.bits < 0) misuse(L, "%s: an address with a prefix length expected", field);
  return f;
}

static uint16_t hand_port_field(lua_State *L, int index, const char *field) {
  return (uint16_t)field_get_integer(L, index, field, 0, UINT16_MAX, 0);
}

static uint64_t hand_count_field(lua_State *L, int index, const char *field) {
  return (uint64_t)field_get_number(L, index, field, 0, MOST);
}

static void hand_read_sequence(lua_State *L, int index, struct segment_filter *f) {
  f->has_sequence = lua_getfield(L, index, "sequence") != LUA_TNIL;
  f->sequence = (uint32_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
}

/* The copy of the table keeps the text. */
static void hand_read_data(lua_State *L, int index, struct segment_filter *f) {
  if (lua_getfield(L, index, "data") == LUA_TSTRING)
    f->data = lua_tolstring(L, -1, &f->data_length);
  lua_pop(L, 1);
}

static struct segment_filter hand_filter_argument(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  field_copy_table(L, index);
  struct segment_filter f = {
    .ways = {field_get_boolean(L, index, "first_way"), field_get_boolean(L, index, "second_way")},
    .from = hand_network_field(L, index, "from"),
    .to = hand_network_field(L, index, "to"),
    .from_port = hand_port_field(L, index, "from_port"),
    .to_port = hand_port_field(L, index, "to_port"),
    .port = hand_port_field(L, index, "port"),
    .kinds = (unsigned)field_get_integer(L, index, "kinds", 1, 2 * KIND_ACK - 1, KIND_ANY),
    .skip = hand_count_field(L, index, "skip"),
    .every = hand_count_field(L, index, "every"),
    .first = hand_count_field(L, index, "first"),
  };
  if (f.every == 0) f.every = 1;
  hand_read_sequence(L, index, &f);
  hand_read_data(L, index, &f);
  return f;
}

/* -- methods of a wire --------------------------------------------------------------------- */

static int hand_put(lua_State *L, enum hand_act act) {
  struct segment_filter f = hand_filter_argument(L, 2);
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  int result = wire_cut_into_segments(w);
  if (result == 0) result = hands_add(wire_hands(w), act, &f);
  return failure_push_result(L, result, "hand");
}

static int hand_hold(lua_State *L) { return hand_put(L, HAND_HOLD); }
static int hand_lose(lua_State *L) { return hand_put(L, HAND_LOSE); }
static int hand_copy(lua_State *L) { return hand_put(L, HAND_COPY); }

static int hand_push_seen(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "expect");
  capture_push_segment(L, o->owned);
  return 1;
}

static int hand_expect(lua_State *L) {
  wire *w = box_check(L, 1, WIRE_TYPE);
  struct segment_filter f = hand_filter_argument(L, 2);
  op *o = task_begin(L, timeout_argument(L, 3));
  int result = handle_is_open(w) ? wire_cut_into_segments(w) : OP_CLOSED;
  if (result < 0)
    op_end(o, result);
  else
    hands_expect(wire_hands(w), &f, o);
  return task_wait(L, o, hand_push_seen);
}

static int hand_push_held(lua_State *L) {
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  lua_newtable(L);
  for (size_t i = 0; i < hands_held(wire_hands(w)); i++) {
    struct segment s = *hands_held_segment(wire_hands(w), i);
    capture_push_segment(L, &s);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* wire:release(number): the held frame of that number goes on, and the later ones move up */
static int hand_release(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 2);
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  lua_Integer held = (lua_Integer)hands_held(wire_hands(w));
  luaL_argcheck(L, number >= 1 && number <= held, 2, "no held segment has this number");
  wire_release(w, (size_t)number - 1);
  lua_pushboolean(L, 1);
  return 1;
}

static int hand_let_go(lua_State *L) {
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  hands_let_go(wire_hands(w));
  lua_pushboolean(L, 1);
  return 1;
}

static int hand_end_argument(lua_State *L, int index) {
  lua_Integer end = luaL_checkinteger(L, index);
  luaL_argcheck(L, end == 1 || end == 2, index, "host 1 or 2");
  return (int)end - 1;
}

static void hand_read_end(lua_State *L, int index, uint8_t *bytes, uint16_t *port, bool *is_ipv6) {
  address a;
  bool is_end = address_parse(luaL_checkstring(L, index), &a) >= 0 && address_family(&a) != AF_UNIX;
  luaL_argcheck(L, is_end, index, "an address with a port expected");
  memcpy(bytes, address_bytes(&a), (size_t)address_bits(&a) / 8);
  *port = (uint16_t)address_port(&a);
  *is_ipv6 = address_family(&a) == AF_INET6;
}

/* The ends of a segment, at `index` and behind. */
static struct segment hand_ends_argument(lua_State *L, int index) {
  struct segment s = {.at_ns = 0};
  bool is_ipv6;
  hand_read_end(L, index, s.from, &s.from_port, &is_ipv6);
  hand_read_end(L, index + 1, s.to, &s.to_port, &s.is_ipv6);
  luaL_argcheck(L, is_ipv6 == s.is_ipv6, index, "both ends of one family expected");
  return s;
}

/* wire:next_sequence(from, "10.0.0.1:4000", "10.0.0.2:80") -> number; nothing if no segment passed
 */
static int hand_push_next_sequence(lua_State *L) {
  uint32_t next;
  int from = hand_end_argument(L, 2);
  struct segment s = hand_ends_argument(L, 3);
  wire *w = box_check(L, 1, WIRE_TYPE);
  if (w == NULL || !lane_next_sequence(wire_lane(w, from), &s, &next)) return 0;
  lua_pushinteger(L, next);
  return 1;
}

/* Arguments 11 to 13: type, code and MTU of an ICMP error about the segment. Returns the size of
 * the packet, which takes the segment's place. */
static size_t hand_wrap_error(lua_State *L, const struct segment *s, uint8_t *packet, size_t size) {
  enum { QUOTED_MOST = 500 };
  uint8_t quoted[QUOTED_MOST];
  struct craft_error error = {.type = (uint8_t)luaL_checkinteger(L, 11),
                              .code = (uint8_t)luaL_checkinteger(L, 12),
                              .mtu = (uint16_t)luaL_checkinteger(L, 13)};
  if (size > QUOTED_MOST) size = QUOTED_MOST;
  memcpy(quoted, packet, size);
  return craft_icmp(s, &error, quoted, size, packet);
}

/* wire:inject(from, from_end, to_end, flags, sequence, acknowledgement, window, data, is_wrong): a
 * segment enters the wire as if host 1 or 2 had sent it */
static int hand_inject(lua_State *L) {
  enum { DATA_MOST = 65000 };
  size_t length;
  uint8_t packet[CRAFT_HEADERS + DATA_MOST];
  int from = hand_end_argument(L, 2);
  struct segment s = hand_ends_argument(L, 3);
  s.flags = (uint8_t)luaL_checkinteger(L, 5);
  s.sequence = (uint32_t)luaL_checkinteger(L, 6);
  s.acknowledgement = (uint32_t)luaL_checkinteger(L, 7);
  s.window = (uint16_t)luaL_checkinteger(L, 8);
  const char *data = luaL_checklstring(L, 9, &length);
  luaL_argcheck(L, length <= DATA_MOST, 9, "at most 65000 bytes");
  size_t size = craft_segment(&s, data, length, lua_toboolean(L, 10), packet);
  if (!lua_isnoneornil(L, 11)) size = hand_wrap_error(L, &s, packet, size);
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  return failure_push_result(L, wire_inject(w, from, packet, size), "inject");
}

/* wire:swallow(from, on) */
static int hand_swallow(lua_State *L) {
  int from = hand_end_argument(L, 2);
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  wire_swallow(w, from, lua_toboolean(L, 3));
  lua_pushboolean(L, 1);
  return 1;
}

/* wire:plug(end, on) */
static int hand_plug(lua_State *L) {
  int end = hand_end_argument(L, 2);
  wire *w = box_check_open(L, WIRE_TYPE);
  if (w == NULL) return 3;
  return failure_push_result(L, wire_plug(w, end, lua_toboolean(L, 3)), "plug");
}

const luaL_Reg hand_methods[] = {
  {"hold", hand_hold},       {"lose", hand_lose},      {"copy", hand_copy},
  {"expect", hand_expect},   {"held", hand_push_held}, {"release", hand_release},
  {"let_go", hand_let_go},   {"inject", hand_inject},  {"next_sequence", hand_push_next_sequence},
  {"swallow", hand_swallow}, {"plug", hand_plug},      {NULL, NULL}};
