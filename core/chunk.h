/* Runs user code as the program always does: protected, with a traceback that says where failed
 * tasks were spawned, and with signals such as Ctrl-C turned into errors. */
#ifndef LUNET_CHUNK_H
#define LUNET_CHUNK_H

#include <lua.h>

/* The program's exit statuses. Runs of experiments have theirs: lua/lunet/run/verdict.lua. */
enum {
  STATUS_OK = 0,
  STATUS_FAILED = 1,
  STATUS_MISUSE = 2,
  STATUS_NOT_RUN = 3,
  STATUS_SIGNAL = 128, /* plus the number of the signal that ended the program */
};

/* Like lua_pcall, but returns STATUS_OK, STATUS_FAILED or STATUS_SIGNAL + the number of a signal.
 * Every status except STATUS_OK leaves a message on the stack. */
int chunk_call(lua_State *L, int nargs, int nresults);

/* Prints `prefix` and the message on top of the stack on stderr, and clears the stack. */
void chunk_report(lua_State *L, const char *prefix);

#endif
