/* Nurseries: where tasks are spawned. A nursery ends when the last of its children has; the first
 * error cancels those that are left. Every task is born with one; lunet.scope opens another, which
 * also closes what was opened in it. */
#ifndef LUNET_BINDING_NURSERY_H
#define LUNET_BINDING_NURSERY_H

#include <lua.h>
#include <stdbool.h>

#include "handle/scope.h"

typedef struct task task;
typedef struct nursery nursery;

struct nursery {
  task *owner;
  list children;  /* living tasks */
  scope *handles; /* a lunet.scope's own, or that of the nursery around it */
  int base;       /* the owner's stack: results begin above this index */
  bool has_failed;
  bool is_canceled; /* it has failed with nothing but its owner's cancellation */
  bool is_settling; /* the owner waits here for the last child */
  int (*settled)(lua_State *L, nursery *n);
};

void nursery_open(nursery *n, task *owner, scope *handles);

/* Calls the function and its arguments, which lie from index n->base on; waits for the children;
 * then goes on with n->settled, above n->base the results, or the error if n->has_failed. */
int nursery_run(lua_State *L, nursery *n);

/* Whether an error of a child would be the first. */
bool nursery_takes_errors(const nursery *n);

void nursery_cancel(nursery *n); /* cancels the children, in order */

/* Leaves the scope of a lunet.scope whose children have ended. */
void nursery_leave(lua_State *L, nursery *n);

/* Calls fn with every living task below this one, innermost first, down to so many generations. */
void nursery_visit(const task *t, int generations, void (*fn)(void *context, task *t),
                   void *context);

int nursery_scope(lua_State *L); /* lunet.scope(fn, ...) */

#endif
