/* MPTCP (RFC 8684): a connection over one or several of TCP. What programs read and write, and the
 * end of the stream, are the MPTCP socket's. The TCP sockets that sock_diag lists for it stay
 * ESTABLISHED and empty meanwhile. */
#ifndef LUNET_PLATFORM_MPTCP_H
#define LUNET_PLATFORM_MPTCP_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/tcp_socket.h"

struct nl_sock;
struct nlmsghdr;

/* Whether the namespace has any MPTCP socket; ns: -1 for the home host's. */
bool mptcp_is_used(int ns);

/* Notes in `out` whether a TCP socket is part of MPTCP, and the token of its connection. The dump
 * has that with INET_DIAG_INFO only. */
void mptcp_parse(struct nlmsghdr *header, struct tcp_socket *out);

/* Replaces state, queues and owner of the first TCP socket of a connection by those of the MPTCP
 * socket: the one with the same ends. 0 or a negative errno. */
int mptcp_replace(struct nl_sock *sock, struct tcp_socket *s);

#endif
