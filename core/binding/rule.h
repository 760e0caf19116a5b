/* The Lua type of a rule. */
#ifndef LUNET_BINDING_RULE_H
#define LUNET_BINDING_RULE_H

#include <lua.h>

void rule_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.drop(host or nil, content, text, diverts) -> rule | nil, message, CODE: see rule_open.
 * lua/lunet/network/rule_text.lua makes the content. */
int rule_drop(lua_State *L);

/* core.takes_rules(host, content) -> true, or nil, message, code: see rule_try. */
int rule_takes(lua_State *L);

#endif
