/* One end of a TCP or Unix stream connection. It is a handle (scope.h). Each call makes its own
 * system calls: it tries at once and repeats only when the descriptor is ready. Only a receive
 * after one that drained the socket waits first. lunet never reads ahead, sends by itself or
 * retries. Receives queue in order, and so do sends: each one ends before the next begins. */
#ifndef LUNET_HANDLE_CONNECTION_H
#define LUNET_HANDLE_CONNECTION_H

#include "handle/gate.h"
#include "handle/idlers.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "platform/address.h"
#include "platform/socket.h"

/* Takes over `fd`, connected or not. On failure the caller still owns it. 0 or a negative errno. */
int connection_open(loop *lp, const struct place *p, int fd, connection **out);
int connection_reset(connection *c); /* closes with RST; -EOPNOTSUPP unless TCP */

/* Ends the association, and keeps the socket open (connect(2)). -EOPNOTSUPP for Unix. */
int connection_dissolve(connection *c);

/* Says that a listener at `local` has accepted the connection by this op. The connection counts at
 * the listener's gate until it closes. */
void connection_accepted(connection *c, const op *o, const address *peer, const address *local,
                         gate *g);

/* Says that the connection is lunet's end of a program's stream: see struct trace_socket. */
void connection_of_program(connection *c, uint8_t stream);

void connection_of_mptcp(connection *c); /* says that its socket is an MPTCP one */

/* The op ends with 0. After a failure close the connection: it is of no further use. */
void connection_connect(connection *c, const address *peer, op *o);

/* The op ends with o->as.send.length. o->as.send.sent counts the bytes that the kernel took, also
 * on failure. */
void connection_send(connection *c, op *o);

/* The op ends with the number of bytes at o->as.receive.data; that of a discard with the number of
 * bytes, which o->as.receive.taken counts also on failure. The next receive gets the bytes that
 * a failed one took from the kernel. At the stream's end, a receive of a line or of all ends with
 * the rest, any other with OP_EOF. At an error, a receive ends with the rest and the error in
 * o->as.receive.cut, the next one with the error, later ones with OP_EOF. */
void connection_receive(connection *c, op *o);

/* Lets the connection wait for bytes in `all`. 0 or a negative errno. */
int connection_idle(connection *c, idlers *all);
connection *connection_of_idler(idler *one);
bool connection_is_unread(const connection *c); /* no receive since it was taken from idlers */

int connection_shutdown(connection *c, int how); /* SHUT_RD, SHUT_WR or SHUT_RDWR */

/* Says that socket options have been set, or one refused: "rcvbuf = 4096". */
void connection_was_set(connection *c, const char *words, int result);

/* Says that a program will have the socket, too. Returns the descriptor or a negative errno. Only
 * of an open connection. */
int connection_share(connection *c, bool blocks);

int connection_descriptor(const connection *c);
size_t connection_held(const connection *c); /* bytes taken from the kernel, not yet returned */
int connection_ended(const connection *c);   /* the error at the last receive; 0: none */
int connection_liveness(connection *c, enum liveness *out);

int connection_local(const connection *c, address *out);
int connection_peer(const connection *c, address *out);

#endif
