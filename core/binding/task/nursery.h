/* Nurseries: where tasks are spawned. A nursery ends when the last of its children has; the first
 * error cancels those that are left. Every task is born with one; lunet.scope opens another, which
 * also closes what was opened in it. */
#ifndef LUNET_BINDING_TASK_NURSERY_H
#define LUNET_BINDING_TASK_NURSERY_H

#include "binding/task/state.h"

void nursery_open(nursery *n, task *owner, scope *handles);

/* Calls the function and its arguments, which lie from index n->base on; waits for the children;
 * then goes on with n->settled, above n->base the results, or the error if n->has_failed. */
int nursery_run(lua_State *L, nursery *n);

/* Whether an error of a child would be the first. */
bool nursery_takes_errors(const nursery *n);

void nursery_cancel(nursery *n); /* cancels the children, in order */

/* Leaves the scope of a lunet.scope whose children have ended. */
void nursery_leave(lua_State *L, nursery *n);

#endif
