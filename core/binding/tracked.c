#include "binding/tracked.h"

#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/memory.h"
#include "platform/tracked.h"

static void tracked_set_address(lua_State *L, const char *field, const address *a) {
  char text[ADDRESS_TEXT];
  field_set_string(L, field, address_format(a, text));
}

static void tracked_push_one(lua_State *L, const struct tracked *t) {
  lua_createtable(L, 0, 8);
  tracked_set_address(L, "from", &t->from);
  tracked_set_address(L, "to", &t->to);
  tracked_set_address(L, "reply_from", &t->reply_from);
  tracked_set_address(L, "reply_to", &t->reply_to);
  field_set_string(L, "state", t->state);
  field_set_integer(L, "seconds", t->seconds);
  field_set_boolean(L, "replied", t->replied);
  field_set_boolean(L, "assured", t->assured);
}

int tracked_push(lua_State *L) {
  host *h = host_check(L, 1);
  void **memory = memory_new(L);
  struct tracked_list found = {0};
  int result = tracked_read(host_namespace(h), &found);
  *memory = found.all;
  if (result < 0) return failure_push(L, result, "tracked");
  lua_createtable(L, (int)found.count, 0);
  for (size_t i = 0; i < found.count; i++) {
    tracked_push_one(L, &found.all[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  memory_free(memory);
  return 1;
}
