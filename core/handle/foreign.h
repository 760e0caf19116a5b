/* The listeners of a program. lunet did not open them, so it looks at their queues by sock_diag
 * while the trace is probing. It looks when an event may have changed a queue, and now and then. */
#ifndef LUNET_HANDLE_FOREIGN_H
#define LUNET_HANDLE_FOREIGN_H

#include <sys/types.h>

#include "handle/loop.h"
#include "handle/trace.h"

typedef struct foreign foreign;

/* `ns` is the namespace of the program's host, -1 for home. `program` names the program in the
 * trace; guard and number are its processes. Returns NULL without memory. */
foreign *foreign_open(loop *lp, int ns, const struct trace_socket *program, pid_t guard,
                      pid_t number);
void foreign_close(foreign *f); /* takes a last look; NULL is allowed */

#endif
