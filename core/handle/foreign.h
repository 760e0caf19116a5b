/* The listeners of a program. lunet did not open them: it looks at their queues from outside, by
 * sock_diag, while the trace is probing: when an event may have moved them, and now and then. */
#ifndef LUNET_HANDLE_FOREIGN_H
#define LUNET_HANDLE_FOREIGN_H

#include <sys/types.h>

#include "handle/loop.h"
#include "handle/trace.h"

typedef struct foreign foreign;

/* `ns` is the namespace of the program's host, -1 for home; `program` is whose they are; guard and
 * number are its processes. NULL if there is no memory for it. */
foreign *foreign_open(loop *lp, int ns, const struct trace_socket *program, pid_t guard,
                      pid_t number);
void foreign_close(foreign *f); /* takes a last look; harmless for NULL */

#endif
