/* The methods of a wire by which a script lays hands on single segments. */
#ifndef LUNET_BINDING_HAND_H
#define LUNET_BINDING_HAND_H

#include <lauxlib.h>

extern const char WIRE_TYPE[];
extern const luaL_Reg hand_methods[];

#endif
