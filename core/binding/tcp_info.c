#include "binding/tcp_info.h"

#include "binding/field.h"

int tcp_info_push(lua_State *L, const struct tcp_info_memory *values) {
  lua_createtable(L, 0, 64);
  for (const struct tcp_info_field *f = tcp_info_fields; f->name != NULL; f++) {
    if (f->offset + f->size > values->length) break; /* this kernel fills in no more fields */
    field_set_integer(L, f->name, (lua_Integer)tcp_info_value(values, f));
  }
  return 1;
}
