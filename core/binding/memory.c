#include "binding/memory.h"

#include <stdlib.h>

#include "binding/type.h"

static const char MEMORY_TYPE[] = "lunet.memory";

void **memory_new(lua_State *L) { return type_new_box(L, MEMORY_TYPE, 0); }

void memory_free(void **place) {
  free(*place);
  *place = NULL;
}

static int memory_collect(lua_State *L) {
  memory_free(type_check(L, 1, MEMORY_TYPE));
  return 0;
}

void memory_open_type(lua_State *L) {
  static const luaL_Reg metamethods[] = {{"__gc", memory_collect}, {NULL, NULL}};
  type_open(L, MEMORY_TYPE, NULL, metamethods);
}
