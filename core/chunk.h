/* Running user code the way the program does everywhere: protected, with a traceback that names
 * where failed tasks were spawned, and with Ctrl-C turned into an error. */
#ifndef LUNET_CHUNK_H
#define LUNET_CHUNK_H

#include <lua.h>

/* The program's exit statuses. An experiment adds its own verdict: 0 or 1. */
enum {
  STATUS_OK = 0,
  STATUS_FAILED = 1,
  STATUS_MISUSE = 2,
  STATUS_NOT_RUN = 3,
  STATUS_SIGNAL = 128, /* plus the number of the signal that ended it */
};

/* Like lua_pcall, but the result is STATUS_OK, STATUS_FAILED or STATUS_SIGNAL + the number of a
 * signal; all but STATUS_OK leave the message on the stack. */
int chunk_call(lua_State *L, int nargs, int nresults);

/* Prints the message on top of the stack on stderr, and clears the stack. */
void chunk_report(lua_State *L);
void chunk_report_as(lua_State *L, const char *prefix);

#endif
