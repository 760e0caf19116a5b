#include "binding/address.h"

#include <string.h>

#include "binding/field.h"
#include "binding/misuse.h"

int address_push(lua_State *L, const address *a) {
  char text[ADDRESS_TEXT];
  lua_pushstring(L, address_format(a, text));
  if (address_family(a) == AF_UNIX) return 1;
  lua_pushinteger(L, address_port(a));
  return 2;
}

void address_set_fields(lua_State *L, const char *field, const char *port, const address *a) {
  char text[ADDRESS_TEXT];
  field_set_string(L, field, address_format(a, text));
  field_set_integer(L, port, address_port(a));
}

void address_read(lua_State *L, const char *field, const char *text, address *out) {
  if (address_parse(text, out) < 0)
    misuse(L, "%s: \"%s\" is not an address like %s", field, text, ADDRESS_EXAMPLES);
}

void address_read_fields(lua_State *L, int index, const char *missing, int port_min, address *out) {
  const char *text = field_get_string(L, index, "address", missing);
  bool is_unix = strncmp(text, "unix:", 5) == 0;
  int port =
    field_get_integer(L, index, "port", port_min, 65535, is_unix || port_min == 0 ? 0 : -1);
  bool is_made = address_make(text, port, out) == 0;
  if (!is_made && is_unix)
    misuse(L, "address: \"%s\": a path of 1 to %d bytes expected", text,
           (int)sizeof out->as.un.sun_path - 1);
  if (!is_made)
    misuse(L,
           "address: \"%s\" is not numeric: \"127.0.0.1\", \"::1\" or \"unix:/path\" "
           "expected (the port is a field of its own)",
           text);
  if (address_family(out) != AF_UNIX) return;
  if (lua_getfield(L, index, "port") != LUA_TNIL)
    misuse(L, "port: a Unix address (\"%s\") has no port", text);
  lua_pop(L, 1);
}
