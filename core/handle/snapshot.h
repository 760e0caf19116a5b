/* Snapshots record a host's TCP counters and sockets in the trace. One takes about 0.1 ms, so lunet
 * takes them only at noteworthy moments: at notes, when a deadline passes, and when the host is
 * made and closed. */
#ifndef LUNET_HANDLE_SNAPSHOT_H
#define LUNET_HANDLE_SNAPSHOT_H

#include "handle/loop.h"
#include "handle/scope.h"
#include "handle/trace.h"

typedef struct snapshot snapshot;

/* Takes the first one, if the trace is probing. */
int snapshot_open(loop *lp, int ns, uint16_t host, const char *name, snapshot **out);
void snapshot_close(snapshot *s); /* takes the last one */

#endif
