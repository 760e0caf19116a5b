/* Ctrl-C for the program: SIGINT raises "interrupted!" from what runs, or from what the main thread
 * waits for. The one place with static state, since a signal handler has no arguments. */
#ifndef LUNET_BINDING_INTERRUPT_H
#define LUNET_BINDING_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

typedef struct runtime runtime;

void interrupt_begin(lua_State *L); /* L: the main thread */
void interrupt_end(void);           /* the default action again */
int interrupt_seen(void);           /* whether SIGINT came since interrupt_begin */

void interrupt_set_runtime(runtime *rt); /* NULL: none any more */
bool interrupt_pending(void);            /* not raised yet */
bool interrupt_take(void);               /* the same, and the caller raises it */

#endif
