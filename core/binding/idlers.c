#include "binding/idlers.h"

#include <lauxlib.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/host.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/idlers.h"

static const char IDLERS_TYPE[] = "lunet.idlers";

int idlers_new(lua_State *L) {
  lua_settop(L, 0);
  idlers **box = type_new_box(L, IDLERS_TYPE, 0);
  struct place p = host_place(L, NULL, NULL);
  int result = idlers_open(&p, box);
  if (result < 0) return failure_push(L, result, "idlers");
  anchor_add(L, -1, *box);
  return 1;
}

/* idlers:add(connection) -> true, or nil, message, code. The code "UNREAD": nothing was received
 * since it was taken, so that it would come again at once, for ever. */
static int idlers_add_connection(lua_State *L) {
  connection *c = box_check(L, 2, CONNECTION_TYPE);
  idlers *all = box_check_open(L, IDLERS_TYPE);
  if (all == NULL) return 3;
  if (!handle_is_open(c)) return failure_push(L, OP_CLOSED, "add");
  if (connection_is_unread(c)) {
    lua_pushnil(L);
    lua_pushliteral(L, "the handler has returned without a receive");
    lua_pushliteral(L, "UNREAD");
    return 3;
  }
  return failure_push_result(L, connection_idle(c, all), "add");
}

/* The connection that woke the wait may have closed since: then nil alone. */
static int idlers_push_next(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "next");
  idlers *all = box_check(L, 1, IDLERS_TYPE);
  idler *one = handle_is_open(all) ? idlers_take(all) : NULL;
  if (one == NULL)
    lua_pushnil(L);
  else
    anchor_push(L, connection_of_idler(one));
  return 1;
}

/* idlers:next() -> a connection that has something to read. */
static int idlers_await_next(lua_State *L) {
  idlers *all = box_check(L, 1, IDLERS_TYPE);
  lua_settop(L, 1);
  op *o = task_begin(L, DEADLINE_NEVER);
  if (box_has(all, o)) idlers_await(all, o);
  return task_wait(L, o, idlers_push_next);
}

/* idlers:finish(): no other connection will come, so next ends with the last one. */
static int idlers_end(lua_State *L) {
  idlers *all = box_check_open(L, IDLERS_TYPE);
  if (all == NULL) return 3;
  idlers_finish(all);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {{"add", idlers_add_connection},
                                   {"next", idlers_await_next},
                                   {"finish", idlers_end},
                                   {NULL, NULL}};

void idlers_open_type(lua_State *L) { box_open_type(L, IDLERS_TYPE, methods, NULL); }
