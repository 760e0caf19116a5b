/* The event loop polls, then runs the ops. Its parts know each other, but not the loop.
 *
 * It is not libuv's loop. That one aborts the process when the kernel refuses a watch
 * (fs.epoll.max_user_watches) or a descriptor. A laboratory must report the refusal. */
#ifndef LUNET_HANDLE_LOOP_H
#define LUNET_HANDLE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "handle/list.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "handle/trace.h"
#include "handle/watch.h"

typedef struct loop loop;

enum { HOSTS_MOST = UINT16_MAX };

int loop_open(loop **out);
void loop_close(loop *lp); /* closes every handle first */

/* Polls once, then calls ops_run. The poll waits if `wait` is set and no op is ready or put off. */
void loop_step(loop *lp, bool wait);

/* Makes a waiting loop_step return. Safe in a signal handler. */
void loop_wake(loop *lp);

ops *loop_ops(loop *lp);
trace *loop_trace(loop *lp);
watches *loop_watches(loop *lp);
struct scopes *loop_scopes(loop *lp);
loop *loop_of(const void *h);            /* of a handle, open or closed */
scope *loop_scope(loop *lp);             /* the outermost scope */
list *loop_children(loop *lp);           /* see child.h */
uint32_t loop_next_socket(loop *lp);     /* from 1, never reused */
uint32_t loop_next_mark(loop *lp);       /* for a listener; other processes hardly use it */
bool loop_take_port(loop *lp, int port); /* for a listener without a mark: is it the first there? */
int loop_next_host(loop *lp); /* from 1 up to HOSTS_MOST, then -EOVERFLOW, since 0 is home */

#endif
