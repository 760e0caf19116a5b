/* How signals end the program. SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGPIPE raise an error from
 * what runs, or from what the main thread waits for: everything that is open is closed on the way
 * out. A script may catch the error of SIGINT; after the other three it has 1.4 s to end.
 *
 * The one place with static state, since a signal handler has no arguments. A stock interpreter
 * that loads the module keeps its own handling of signals. */
#ifndef LUNET_BINDING_INTERRUPT_H
#define LUNET_BINDING_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

typedef struct runtime runtime;

/* From here on a signal ends the program, with status 128 + its number. SIGHUP and SIGPIPE that are
 * ignored stay so: nohup(1). */
void interrupt_install(void);

/* Between these two it raises an error first. L: the main thread. */
void interrupt_begin(lua_State *L);
void interrupt_end(void);

int interrupt_seen(void);   /* the signal that came since interrupt_begin, or 0 */
int interrupt_ending(void); /* the signal that ends the program, whatever the script does, or 0 */

void interrupt_set_runtime(runtime *rt); /* NULL: none any more */
bool interrupt_pending(void);            /* not raised yet */
bool interrupt_take(void);               /* the same, and the caller raises it */

/* The words of the error. */
const char *interrupt_text(void);

#endif
