/* A child process of lunet's, from its start until it has been waited for: until then its number is
 * nobody else's. It may outlast whoever started it, and is waited for by the loop. */
#ifndef LUNET_HANDLE_CHILD_H
#define LUNET_HANDLE_CHILD_H

#include "handle/list.h"
#include "handle/watch.h"
#include "platform/spawn.h"

typedef struct child child;

/* Among the `children` until it has been waited for. */
int child_start(watches *ws, list *children, const struct spawn *what, child **out);
pid_t child_number(const child *c);      /* 0: it has ended */
void child_signal(child *c, int number); /* harmless when it has ended */
void child_drop(child *c);               /* its starter is done with it; of NULL: nothing */

void child_wait_for_all(list *children); /* which have been told to end; kills those that do not */

#endif
