#include "binding/output.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

#include "binding/failure.h"
#include "platform/character.h"

static int output_replace(int fd) {
  while (dup2(fd, STDOUT_FILENO) == -1)
    if (errno != EINTR) return -errno;
  return 0;
}

int output_divert(lua_State *L) {
  int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int result = kept == -1 ? -errno : output_replace(STDERR_FILENO);
  if (result < 0) {
    if (kept != -1) close(kept);
    return failure_push(L, result, "standard output");
  }
  fflush(stdout); /* after dup2: diverts the buffered text too */
  lua_pushinteger(L, kept);
  return 1;
}

int output_restore(lua_State *L) {
  int kept = (int)luaL_checkinteger(L, 1);
  fflush(stdout);
  int result = output_replace(kept);
  close(kept);
  if (result < 0) return failure_push(L, result, "dup2(2)");
  lua_pushboolean(L, 1);
  return 1;
}

int output_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

int output_character_width(lua_State *L) {
  lua_pushinteger(L, character_width((uint32_t)luaL_checkinteger(L, 1)));
  return 1;
}
