/* One end of a TCP or Unix stream connection, which is a handle (scope.h). Every call makes its own
 * system calls, tried at once (but for a receive after one that got all there was) and repeated
 * only when the descriptor is ready: nothing is read ahead, sent behind the script's back, or
 * retried. Receives and sends each queue in order, and each is done whole before the next. */
#ifndef LUNET_HANDLE_CONNECTION_H
#define LUNET_HANDLE_CONNECTION_H

#include "handle/gate.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "platform/address.h"
#include "platform/socket.h"

/* Takes over `fd`, which need not be connected yet; on failure it is the caller's still. */
int connection_open(loop *lp, const struct place *p, int fd, connection **out);
int connection_reset(connection *c); /* closes with RST; -EOPNOTSUPP unless TCP */

/* It came by this op from a listener at `local`, whose gate it occupies until it is closed. */
void connection_accepted(connection *c, const op *o, const address *peer, const address *local,
                         gate *g);

/* It is the near end of a program's standard stream: see struct trace_socket. */
void connection_of_program(connection *c, uint8_t stream);

/* Ends with 0. If it fails, the connection is of no further use: close it. */
void connection_connect(connection *c, const address *peer, op *o);

/* Ends with o->as.send.length; o->as.send.sent counts what the kernel took, also on failure. */
void connection_send(connection *c, op *o);

/* Ends with the number of bytes at o->as.receive.data. What a failed receive took from the kernel
 * stays held for the next one. At the end: OP_EOF, or what is left for a line and for all. Before
 * an error: what is left, with the error in o->as.receive.cut; then the error, once; then OP_EOF.
 */
void connection_receive(connection *c, op *o);

int connection_shutdown(connection *c, int how); /* SHUT_RD, SHUT_WR or SHUT_RDWR */
int connection_descriptor(const connection *c);
size_t connection_held(const connection *c); /* bytes taken from the kernel, not yet returned */
int connection_ended(const connection *c);   /* the error of the last receive; 0: none */
int connection_liveness(connection *c, enum liveness *out);

int connection_local(const connection *c, address *out);
int connection_peer(const connection *c, address *out);

#endif
