/* A look now and then at the queue of listeners that lunet may not have opened (foreign.h). It is a
 * handle (scope.h): the looks end when it closes. */
#ifndef LUNET_HANDLE_QUEUE_WATCH_H
#define LUNET_HANDLE_QUEUE_WATCH_H

#include "handle/foreign.h"
#include "handle/scope.h"

typedef struct queue_watch queue_watch;

/* 0 or a negative errno: the first look has failed, or its timer. */
int queue_watch_open(loop *lp, const struct place *p, const struct foreign_target *target,
                     uint64_t every_ns, queue_watch **out);
int queue_watch_peak(queue_watch *w, struct foreign_peak *out); /* only of an open one */

#endif
