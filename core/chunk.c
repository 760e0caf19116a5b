#include "chunk.h"

#include <lauxlib.h>
#include <stdio.h>

#include "binding/failure.h"
#include "binding/interrupt.h"

int chunk_call(lua_State *L, int nargs, int nresults) {
  int handler = lua_gettop(L) - nargs; /* below the function */
  lua_pushcfunction(L, failure_traceback);
  lua_insert(L, handler);
  interrupt_begin(L);
  int failed = lua_pcall(L, nargs, nresults, handler) != LUA_OK;
  int number = interrupt_seen();
  interrupt_end();
  lua_remove(L, handler);
  if (!failed) return STATUS_OK;
  return number != 0 ? STATUS_SIGNAL + number : STATUS_FAILED;
}

void chunk_report(lua_State *L, const char *prefix) {
  const char *message = lua_tostring(L, -1);
  /* The handler makes every error a string, except an error inside the handler itself. */
  if (message == NULL)
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, -1));
  fprintf(stderr, "%s%s\n", prefix, message);
  lua_settop(L, 0);
}
