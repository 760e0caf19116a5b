/* A listening socket. It is a handle (scope.h). It accepts only when an op asks for it and its gate
 * has room: it never calls accept4 ahead of the script. */
#ifndef LUNET_HANDLE_LISTENER_H
#define LUNET_HANDLE_LISTENER_H

#include "handle/gate.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "platform/address.h"

typedef struct listener listener;

/* Takes over `fd`, which is bound. On failure the caller still owns `fd`. 0 or a negative errno. */
int listener_open(loop *lp, const struct place *p, int fd, int backlog, listener **out);

/* The op ends with 0 and the connection at `out`. The connection belongs to `s`, the scope of the
 * task that asks. */
void listener_accept(listener *l, scope *s, connection **out, op *o);

void listener_set_gate(listener *l, uint32_t limit);
gate *listener_gate(listener *l); /* only of an open listener */

int listener_queue(listener *l, uint32_t *depth, uint32_t *limit);
int listener_drops(listener *l, uint32_t *drops); /* see socket_drops; -EOPNOTSUPP unless TCP */
int listener_resize(listener *l, int backlog);
int listener_shutdown(listener *l, int how); /* SHUT_RD, SHUT_WR or SHUT_RDWR */

/* Says that socket options have been set, or one refused: "rcvbuf = 4096". */
void listener_was_set(listener *l, const char *words, int result);
int listener_descriptor(const listener *l); /* only of an open listener */

/* Says that a program will have the socket, too. Returns the descriptor or a negative errno. Only
 * of an open listener. */
int listener_share(listener *l, bool blocks);

const address *listener_address(const listener *l);
uint32_t listener_mark(const listener *l);  /* SO_MARK of its connections; 0: none */
bool listener_is_first(const listener *l);  /* no listener without a mark was at this port before */
uint32_t listener_inode(const listener *l); /* 0: closed */
uint16_t listener_host(const listener *l);  /* its host's number; 0 is home */

/* The open listener with this inode, or NULL. */
listener *listener_find(loop *lp, uint32_t inode);

/* Records its queue if that has changed. */
void listener_saw_queue(listener *l, uint32_t depth, uint32_t limit, uint32_t drops);

/* Whether lunet has an open listener at this port of the host, or at this Unix address. */
bool listener_is_at(loop *lp, uint16_t host, const address *a);

#endif
