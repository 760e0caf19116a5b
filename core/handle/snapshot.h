/* What a host's kernel says of itself, in the trace: its TCP counters and sockets. That takes some
 * 0.1 ms, so it is asked only when something noteworthy happens: at notes, when a deadline passes,
 * and when the host is made and closed. */
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
