/* Listeners that lunet did not open: those of a program, or those at a port. It looks at their
 * queues by sock_diag: while the trace is probing, when an event may have changed a queue, and now
 * and then. */
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

/* The listeners at a port of a host, or at the Unix address if the port is 0, whoever has them. */
struct foreign_target {
  int ns; /* -1: home */
  int port;
  address path;
};

struct foreign_peak {
  uint32_t depth, limit; /* the greatest depth so far, and the limit then */
  uint32_t drops;        /* of all these listeners, by the last look */
  uint32_t looks;
};

/* Looks at them each `every_ns`, also if the trace is not probing; `about` names the host in the
 * trace. 0 or a negative errno. */
int foreign_watch(loop *lp, const struct trace_socket *about, const struct foreign_target *target,
                  uint64_t every_ns, foreign **out);
int foreign_read_peak(foreign *f, struct foreign_peak *out); /* after one more look */

void foreign_close(foreign *f); /* takes a last look; NULL is allowed */

#endif
