/* The Lua type of a host, and the links between hosts. */
#ifndef LUNET_BINDING_HOST_H
#define LUNET_BINDING_HOST_H

#include <lua.h>

#include "handle/host.h"
#include "handle/scope.h"

extern const char HOST_TYPE[];

void host_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* Pushes the failure of a call that makes a namespace. A limit on the number of namespaces is a
 * refusal, not a shortage (failure.h). */
int host_push_refusal(lua_State *L, int result, const char *what);

/* The open host at `index`; raises if it is closed. Any allocation in Lua may run a finalizer that
 * closes the host. So call this last, after reading all arguments and making all userdata. */
host *host_check(lua_State *L, int index);
host *host_or_home(lua_State *L, int index); /* NULL for nil: the home host */

/* The place of a handle that the current task opens on a host (NULL: home). Without a label it gets
 * the host's name. */
struct place host_place(lua_State *L, const host *h, const char *label);

int host_new(lua_State *L);       /* core.host(name) -> host | nil, message, CODE */
int host_is_host(lua_State *L);   /* core.is_host(value) -> is a host, is an open host */
int host_number_of(lua_State *L); /* core.host_number(host) -> its number in events; 0 is home */
int host_refused(lua_State *L); /* core.refused() -> the call in which the last core.host failed */
int host_queue_limit(lua_State *L); /* core.queue_limit(host): net.core.somaxconn */

int host_link(lua_State *L);          /* core.link(host, name, peer_host, peer_name) */
int host_bridge(lua_State *L);        /* core.bridge(host, name) */
int host_attach(lua_State *L);        /* core.attach(host, name, bridge) */
int host_unlink(lua_State *L);        /* core.unlink(host, name) */
int host_set_mtu(lua_State *L);       /* core.set_mtu(host, name, bytes) */
int host_add_addresses(lua_State *L); /* core.add_addresses(host, name, "10.0.0.1/24", ...) */
int host_add_route(lua_State *L);     /* core.add_route(host, "10.0.0.0/8", "10.1.0.1/32") */
int host_link_is_up(lua_State *L);    /* core.link_is_up(host, name) */
int host_answers_for(lua_State *L);   /* core.answers_for(host, "10.0.0.1") */
int host_is_address(lua_State *L);    /* core.is_address(value): whether add_addresses takes it */
int host_is_within(lua_State *L);     /* core.is_within("10.0.0.1:80", "10.0.0.0/24") */

/* Files of /proc, as the host sees them. */
int host_read_file(lua_State *L);  /* core.read_file(host or nil, path) */
int host_write_file(lua_State *L); /* core.write_file(host or nil, path, text) */

/* core.write_files(host, {[path] = text}) writes all of them, or stops at the first failure. */
int host_write_files(lua_State *L);

/* core.read_files(paths) -> {[path] = text} of the home host, without files that are empty or that
 * it cannot read. */
int host_read_files(lua_State *L);

/* core.set_home(host) moves the process to a host, and returns the namespace that it left.
 * core.set_home(namespace) moves it back. See namespace_set_home. */
int host_set_home(lua_State *L);
int host_stay(lua_State *L); /* core.stay_home(stay): see namespace_stay */

#endif
