#include "binding/neighbours.h"

#include "binding/failure.h"
#include "platform/neighbours.h"

/* neighbours_refused() -> how many entries the kernel's full tables have refused since it booted */
int neighbours_push_refused(lua_State *L) {
  uint64_t refused;
  int result = neighbours_refused(&refused);
  if (result < 0) return failure_push_refusal(L, result, "neighbours");
  lua_pushinteger(L, (lua_Integer)refused);
  return 1;
}
