/* A listening socket, which is a handle (scope.h). It never accepts until an op asks it to, and
 * then only while its gate has room: no accept4 is made ahead of the script. */
#ifndef LUNET_HANDLE_LISTENER_H
#define LUNET_HANDLE_LISTENER_H

#include "handle/gate.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "platform/address.h"

typedef struct listener listener;

/* `fd` is bound. On failure it is the caller's still. */
int listener_open(loop *lp, const struct place *p, int fd, int backlog, listener **out);

/* Ends with 0 and the connection at `out`, which belongs to the scope `s` of the asking task. */
void listener_accept(listener *l, scope *s, connection **out, op *o);

void listener_set_gate(listener *l, uint32_t limit);
gate *listener_gate(listener *l); /* of an open listener */

int listener_queue(listener *l, uint32_t *depth, uint32_t *limit);
int listener_resize(listener *l, int backlog);
int listener_shutdown(listener *l, int how); /* SHUT_RD, SHUT_WR or SHUT_RDWR */
const address *listener_address(const listener *l);
uint32_t listener_mark(const listener *l);  /* what marks its connections; 0: nothing */
bool listener_is_first(const listener *l);  /* without a mark: no other was at its port before */
uint32_t listener_inode(const listener *l); /* 0: closed */
uint16_t listener_host(const listener *l);  /* its host's number; 0 is home */

/* Whether a listener of lunet's on a host has this port, or one of any host this Unix address. */
bool listener_is_at(loop *lp, uint16_t host, const address *a);

#endif
