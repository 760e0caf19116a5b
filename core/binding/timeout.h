/* Time as scripts see it: seconds, on the monotonic clock. */
#ifndef LUNET_BINDING_TIMEOUT_H
#define LUNET_BINDING_TIMEOUT_H

#include <lauxlib.h>
#include <stdint.h>

/* The timeout at `index` as an absolute deadline: nil waits without limit, 0 polls. Raises unless
 * it is a number of seconds, 0 or more. */
uint64_t timeout_argument(lua_State *L, int index);

/* lunet.now() and lunet.sleep(seconds) */
int timeout_now(lua_State *L);
int timeout_wall_now(lua_State *L); /* core.wall_now(): seconds since 1970 */
int timeout_sleep(lua_State *L);

#endif
