/* The Lua type of a host, and the links between hosts. */
#ifndef LUNET_BINDING_HOST_H
#define LUNET_BINDING_HOST_H

#include <lua.h>

#include "handle/host.h"
#include "handle/scope.h"
#include <lua.h>

extern const char HOST_TYPE[];

void host_open_type(lua_State *L); /* expects the runtime on the stack's top */

int host_new(lua_State *L); /* core.host(name) */

/* The failure of what needs a namespace: a limit of namespaces is a refusal, and no want. */
int host_push_refusal(lua_State *L, int result, const char *what);
int host_is_host(lua_State *L);   /* core.is_host(value): whether it is one, and an open one */
int host_number_of(lua_State *L); /* core.host_number(host): as events tell it; 0 is home */

/* The host at `index`, which is open; raises if it is closed. Whatever allocates in Lua may run a
 * finalizer that closes it: ask for the host last, when all arguments are read and all userdata are
 * made. */
host *host_check(lua_State *L, int index);
host *host_or_home(lua_State *L, int index); /* nil: the home host, NULL */

/* Where something belongs that the current task opens on a host (NULL: home). */
struct place host_place(lua_State *L, const host *h, const char *label);

/* core.link(host, name, peer_host, peer_name), .bridge(host, name), .attach(host, name, bridge),
 * .unlink(host, name), .add_addresses(host, name, "10.0.0.1/24", ...), .link_is_up(host, name),
 * .answers_for(host, "10.0.0.1"); .is_address(value): whether add_addresses takes it;
 * .is_within("10.0.0.1:80", "10.0.0.0/24") */
int host_link(lua_State *L);
int host_bridge(lua_State *L);
int host_attach(lua_State *L);
int host_unlink(lua_State *L);
int host_add_addresses(lua_State *L);
int host_link_is_up(lua_State *L);
int host_is_address(lua_State *L);
int host_is_within(lua_State *L);
int host_answers_for(lua_State *L);

/* core.read_file(host, path), .write_file(host, path, text): below /proc, as the host sees it. */
int host_read_file(lua_State *L);
int host_write_file(lua_State *L);

/* core.set_home(host), .set_home(what that returned): see namespace_set_home. .stay_home() */
int host_queue_limit(lua_State *L);
int host_set_home(lua_State *L);
int host_stay(lua_State *L);
int host_refused(lua_State *L);

#endif
