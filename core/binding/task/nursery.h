/* Nurseries: a task is spawned in a nursery, as its child. A nursery ends when all its children
 * have ended. The first error cancels the remaining children. Every task has a nursery of its own;
 * lunet.scope opens another one, which also closes the handles that were opened in it. */
#ifndef LUNET_BINDING_TASK_NURSERY_H
#define LUNET_BINDING_TASK_NURSERY_H

#include "binding/task/state.h"

void nursery_open(nursery *n, task *owner, scope *handles);

/* Calls the function at index n->base with the arguments above it, and waits for the children. Then
 * continues with n->settled: the results, or the error if n->has_failed, are above n->base. */
int nursery_run(lua_State *L, nursery *n);

/* Whether a child's error would be the nursery's first. */
bool nursery_takes_errors(const nursery *n);

void nursery_cancel(nursery *n); /* cancels the children, in order */

/* Leaves a lunet.scope whose children have ended, and closes its handles. */
void nursery_leave(lua_State *L, nursery *n);

#endif
