#include "binding/queue_watch.h"

#include <lauxlib.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/listener.h"
#include "binding/misuse.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/queue_watch.h"
#include "platform/clock.h"

static const char QUEUE_WATCH_TYPE[] = "lunet.watch";

/* The stack during a watch. */
enum { HOST = 1, TARGET, EVERY };

enum { EVERY_DEFAULT_MS = 10, EVERY_LEAST_MS = 1, EVERY_MOST_S = 3600 };

static void queue_watch_take_address(const address *a, struct foreign_target *out) {
  out->port = address_family(a) == AF_UNIX ? 0 : address_port(a);
  out->path = *a;
}

/* True for a listener. */
static bool queue_watch_take_listener(lua_State *L, struct foreign_target *out) {
  const listener *l = listener_test(L, TARGET);
  if (l == NULL) return false;
  if (!handle_is_open(l)) misuse(L, "the listener is closed");
  if (listener_host(l) != host_number(host_or_home(L, HOST)))
    misuse(L, "the listener is on another host");
  queue_watch_take_address(listener_address(l), out);
  return true;
}

static void queue_watch_read_target(lua_State *L, struct foreign_target *out) {
  int is_integer, type = lua_type(L, TARGET);
  lua_Integer port = lua_tointegerx(L, TARGET, &is_integer);
  bool is_port = type == LUA_TNUMBER && is_integer && port >= 1 && port <= 65535;
  address path = {0};
  bool is_path = type == LUA_TSTRING && address_make(lua_tostring(L, TARGET), 0, &path) == 0 &&
                 address_family(&path) == AF_UNIX;
  if (queue_watch_take_listener(L, out)) return;
  if (!is_port && !is_path) {
    lua_pushvalue(L, TARGET);
    misuse(L, "a listener, a port or \"unix:/path\" expected, not %s", field_push_shown(L));
  }
  out->port = is_port ? (int)port : 0;
  out->path = path;
}

static uint64_t queue_watch_read_every_ns(lua_State *L) {
  lua_Number seconds = luaL_optnumber(L, EVERY, EVERY_DEFAULT_MS / 1e3);
  if (!(seconds >= EVERY_LEAST_MS / 1e3 && seconds <= EVERY_MOST_S))
    misuse(L, "every: seconds from 0.001 to %d expected", EVERY_MOST_S);
  return (uint64_t)(seconds * 1e9);
}

int queue_watch_begin(lua_State *L) {
  struct foreign_target target = {0};
  lua_settop(L, EVERY);
  uint64_t every_ns = queue_watch_read_every_ns(L);
  queue_watch **box = type_new_box(L, QUEUE_WATCH_TYPE, 0);
  queue_watch_read_target(L, &target);
  const host *h = host_or_home(L, HOST);
  target.ns = h == NULL ? -1 : host_namespace(h);
  struct place p = host_place(L, h, NULL);
  int result = queue_watch_open(task_loop(L), &p, &target, every_ns, box);
  if (result < 0) return failure_push(L, result, "watch");
  anchor_add(L, -1, *box);
  return 1;
}

static int queue_watch_push_peak(lua_State *L) {
  struct foreign_peak peak;
  queue_watch *w = box_check_open(L, QUEUE_WATCH_TYPE);
  if (w == NULL) return 3;
  int result = queue_watch_peak(w, &peak);
  if (result < 0) return failure_push(L, result, "peak");
  lua_createtable(L, 0, 4);
  field_set_integer(L, "depth", peak.depth);
  field_set_integer(L, "limit", peak.limit);
  field_set_integer(L, "drops", peak.drops);
  field_set_integer(L, "looks", peak.looks);
  return 1;
}

static const luaL_Reg methods[] = {{"peak", queue_watch_push_peak}, {NULL, NULL}};

void queue_watch_open_type(lua_State *L) { box_open_type(L, QUEUE_WATCH_TYPE, methods, NULL); }
