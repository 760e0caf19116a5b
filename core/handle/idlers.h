/* Connections that wait for bytes without a task each. An op waits for the next of them that has
 * something to read: bytes, the peer's FIN or an error. A connection is a member from idlers_add
 * until it closes; once taken, it waits no more until it is added again. It is a handle (scope.h).
 */
#ifndef LUNET_HANDLE_IDLERS_H
#define LUNET_HANDLE_IDLERS_H

#include "handle/op.h"
#include "handle/scope.h"

typedef struct idlers idlers;

/* The part of a connection. Zeroed memory is valid, of no idlers. */
typedef struct idler {
  list link;
  idlers *of;     /* NULL: it is no member */
  bool is_due;    /* something has come since it was added */
  bool is_unread; /* and nothing has been read since it was taken */
} idler;

int idlers_open(const struct place *p, idlers **out);

void idlers_add(idlers *all, idler *one); /* it waits from now on */
void idler_wake(idler *one);              /* it has something to read */
void idler_leave(idler *one);             /* its connection closes */
idler *idlers_take(idlers *all);          /* one that has something to read; NULL: there is none */
void idlers_finish(idlers *all);          /* no new member comes: ops end with the last one */

/* The op ends with 0 when a member has something to read, with OP_CLOSED at the end. */
void idlers_await(idlers *all, op *o);

#endif
