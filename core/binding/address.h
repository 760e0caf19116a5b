/* Addresses as scripts write and get them. */
#ifndef LUNET_BINDING_ADDRESS_H
#define LUNET_BINDING_ADDRESS_H

#include <lua.h>

#include "platform/address.h"

/* What address_read takes, for messages. */
#define ADDRESS_EXAMPLES                                                                           \
  "\"127.0.0.1:80\", \"[::1]:80\" or \"unix:/path\" (addresses are numeric: lunet looks no names " \
  "up)"

/* Pushes the address as text and its port (none for Unix); returns how many values. */
int address_push(lua_State *L, const address *a);

/* The address of `text`, "127.0.0.1:80". Raises in the name of `field` if it is none. */
void address_read(lua_State *L, const char *field, const char *text, address *out);

/* The fields `address` and `port` of the table at `index`, which target_check has passed.
 * `missing` stands for an address that is not given; ports begin at `port_min`, and 0 stands for
 * one that is not given, if -1 does not demand it. */
void address_read_fields(lua_State *L, int index, const char *missing, int port_min, address *out);

#endif
