/* The event loop: what is watched, the deadlines and the queue of ended ops.
 *
 * It is lunet's own, and not libuv's: that one aborts the process when the kernel refuses a watch
 * (fs.epoll.max_user_watches) or a descriptor, where a laboratory has to say what was refused. */
#ifndef LUNET_HANDLE_LOOP_H
#define LUNET_HANDLE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "handle/list.h"

typedef struct op op;
typedef struct loop loop;
typedef struct deadlines deadlines;
typedef struct scope scope;
typedef struct handle handle;
typedef struct trace trace;
typedef struct watches watches;

enum { LOOP_SCRATCH = 64 * 1024, HOSTS_MOST = UINT16_MAX };

int loop_open(loop **out);
void loop_close(loop *lp); /* closes every handle first */

/* Polls once (waiting for something to happen if `wait` and nothing is ready or to be watched),
 * has those watched whose turn it is, ends what is due, then delivers the ops that had ended by
 * then. Those that end meanwhile are left for the next step, so that no task can keep the loop from
 * polling. */
void loop_step(loop *lp, bool wait);

bool loop_has_ready(const loop *lp);
void loop_ready(loop *lp, op *o); /* o ended: deliver it in a coming step */

/* o waits, and the kernel is to be asked to tell when it need not: later, when no task can run.
 * Till then, what it waits for has often come by another task's doing. */
void loop_watch_later(loop *lp, op *o);

/* An op waits for something from outside, from which it has ended when `more` is -1. */
void loop_expect(loop *lp, int more);

/* Nothing is ready, and no op waits for anything but the end of tasks: the loop would sleep for
 * ever. */
bool loop_is_stuck(const loop *lp);

/* A bound on calls that finish at once between two polls: false when it is used up. */
bool loop_spend(loop *lp);

/* Makes a waiting loop_step return. Safe in a signal handler. */
void loop_wake(loop *lp);

/* What is called when an anchored handle closes: see handle_anchor. */
typedef void (*loop_closed)(void *context, const handle *h);
void loop_on_closed(loop *lp, loop_closed closed, void *context);
void loop_tell_closed(loop *lp, const handle *h);

deadlines *loop_deadlines(loop *lp);
trace *loop_trace(loop *lp);
watches *loop_watches(loop *lp);
scope *loop_scope(loop *lp);             /* the outermost scope */
list *loop_scopes(loop *lp);             /* every open scope */
list *loop_children(loop *lp);           /* see child.h */
char *loop_scratch(loop *lp);            /* LOOP_SCRATCH bytes, free to use between two steps */
uint32_t loop_next_socket(loop *lp);     /* numbers sockets from 1; never reused */
uint32_t loop_next_mark(loop *lp);       /* for listeners; hardly another process's */
bool loop_take_port(loop *lp, int port); /* for home's listeners without a mark: the first there? */
int loop_next_host(loop *lp); /* hosts likewise, up to HOSTS_MOST; then -EOVERFLOW, as 0 is home */

#endif
