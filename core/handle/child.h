/* A child process, from its start until waitpid(2) has returned it. Until then no other process
 * gets its number. A child may outlast its starter: the loop waits for it. */
#ifndef LUNET_HANDLE_CHILD_H
#define LUNET_HANDLE_CHILD_H

#include "handle/list.h"
#include "handle/watch.h"
#include "platform/spawn.h"

typedef struct child child;

/* Starts a program. The child stays in `children` until waitpid(2) has returned it. 0 or a negative
 * errno. */
int child_start(watches *ws, list *children, const struct spawn *what, child **out);
pid_t child_number(const child *c);      /* 0: the child has ended */
void child_signal(child *c, int number); /* harmless when the child has ended */
void child_drop(child *c);               /* frees the child, now or at its end; NULL is allowed */

void child_wait_for_all(list *children); /* whose end has begun; kills the slow ones */

#endif
