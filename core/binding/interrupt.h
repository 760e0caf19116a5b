/* How signals end the program. SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGPIPE raise an error in the
 * running Lua code, or in the main thread's wait. Every handle is closed on the way out. A script
 * may catch the error of SIGINT. After the other three it has 1.4 s to end.
 *
 * The state is static, since a signal handler has no arguments. A stock interpreter that loads the
 * module keeps its own handling of signals. */
#ifndef LUNET_BINDING_INTERRUPT_H
#define LUNET_BINDING_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

typedef struct runtime runtime;

/* From now on a signal ends the program with status 128 + its number, and SIGCONT is counted. If
 * SIGHUP or SIGPIPE is ignored, as under nohup(1), it stays ignored. */
void interrupt_install(void);

/* Between these two calls a signal raises an error first. L: the main thread. */
void interrupt_begin(lua_State *L);
void interrupt_end(void);

int interrupt_seen(void);   /* the signal that came since interrupt_begin, or 0 */
int interrupt_ending(void); /* the signal that ends the program in any case, or 0 */

void interrupt_set_runtime(runtime *rt); /* NULL: the runtime is gone */
bool interrupt_pending(void);            /* whether a signal has not been raised yet */
bool interrupt_take(void);               /* the same, but the caller must raise it */

/* core.times_continued() -> how often SIGCONT has come. It continues a stopped process; if it went
 * to a whole job, it also continued the programs that a script had frozen. */
int interrupt_times_continued(lua_State *L);

/* The text of the error. */
const char *interrupt_text(void);

#endif
