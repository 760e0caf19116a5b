/* A child process of lunet's, from its start until it has been waited for: until then its number is
 * nobody else's. It may outlast whoever started it, and is waited for by the loop. */
#ifndef LUNET_HANDLE_CHILD_H
#define LUNET_HANDLE_CHILD_H

#include "handle/loop.h"
#include "platform/spawn.h"

typedef struct child child;

int child_start(loop *lp, const struct spawn *what, child **out);
pid_t child_number(const child *c);      /* 0: it has ended */
void child_signal(child *c, int number); /* harmless when it has ended */
void child_drop(child *c);               /* its starter is done with it; of NULL: nothing */

void child_wait_for_all(loop *lp); /* which have been told to end; kills those that do not */

#endif
