#include "binding/box.h"

#include <string.h>

#include "binding/failure.h"
#include "binding/type.h"

enum { DESCRIPTION = 4096 };

/* Returns "listener" for "lunet.listener". */
static const char *box_noun(const char *name) { return name + strlen("lunet."); }

/* Returns the type whose method is running: see type_open. */
static const char *box_own_type(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(2)); }

void *box_check(lua_State *L, int index, const char *name) {
  return *(void **)type_check(L, index, name);
}

void *box_check_open(lua_State *L, const char *name) {
  void *h = box_check(L, 1, name);
  if (handle_is_open(h)) return h;
  failure_push(L, OP_CLOSED, box_noun(name));
  return NULL;
}

bool box_has(const void *h, op *o) {
  if (h == NULL) op_end(o, OP_CLOSED);
  return h != NULL;
}

static int box_close(lua_State *L) {
  handle *h = box_check(L, 1, box_own_type(L));
  return failure_push_result(L, h == NULL ? 0 : handle_close(h), "close");
}

static int box_collect(lua_State *L) {
  handle **box = type_check(L, 1, box_own_type(L));
  if (*box != NULL) handle_free(*box);
  *box = NULL;
  return 0;
}

/* "listener 127.0.0.1:80", "host server (closed)" */
static int box_to_string(lua_State *L) {
  const char *name = box_own_type(L);
  const handle *h = box_check(L, 1, name);
  char text[DESCRIPTION] = "";
  if (h != NULL) h->type->describe(h, text, sizeof text);
  lua_pushfstring(L, "%s%s%s%s", box_noun(name), text[0] == '\0' ? "" : " ", text,
                  handle_is_open(h) ? "" : " (closed)");
  return 1;
}

bool box_open_type(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods) {
  static const luaL_Reg own_methods[] = {{"close", box_close}, {NULL, NULL}};
  static const luaL_Reg own_metamethods[] = {
    {"__close", box_close}, {"__gc", box_collect}, {"__tostring", box_to_string}, {NULL, NULL}};
  if (!type_open(L, name, own_methods, own_metamethods)) return false;
  type_add(L, name, methods, metamethods);
  return true;
}
