/* Converts addresses from and to the forms that scripts use. */
#ifndef LUNET_BINDING_ADDRESS_H
#define LUNET_BINDING_ADDRESS_H

#include <lua.h>

#include "platform/address.h"

/* The forms that address_read takes, for messages. */
#define ADDRESS_EXAMPLES                                                                           \
  "\"127.0.0.1:80\", \"[::1]:80\" or \"unix:/path\" (a numeric address: lunet does not look up "   \
  "names)"

/* Pushes the address as text and, except for Unix, its port. Returns the number of values. */
int address_push(lua_State *L, const address *a);

/* Sets two fields of the table on top of the stack: the address as text, and its port. */
void address_set_fields(lua_State *L, const char *field, const char *port, const address *a);

/* Reads an address such as "127.0.0.1:80". Raises if `text` is not an address; the message names
 * `field`. */
void address_read(lua_State *L, const char *field, const char *text, address *out);

/* Reads the fields `address` and `port` of the table at `index`, a copy that field_copy_table made.
 * An absent address is `missing`. The lowest port is `port_min`; if that is 0, an absent port is 0,
 * otherwise a TCP address without a port raises. */
void address_read_fields(lua_State *L, int index, const char *missing, int port_min, address *out);

#endif
