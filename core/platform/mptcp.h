/* MPTCP (RFC 8684): one connection over one or several TCP connections. The MPTCP socket has the
 * bytes that programs read and write, and the end of the stream. The TCP sockets that sock_diag
 * lists for the connection stay ESTABLISHED and empty. */
#ifndef LUNET_PLATFORM_MPTCP_H
#define LUNET_PLATFORM_MPTCP_H

#include <stdbool.h>

#include "platform/tcp_socket.h"

struct nl_sock;
struct nlmsghdr;

/* Whether the namespace has an MPTCP socket. ns: -1 for the home host's. */
bool mptcp_is_used(int ns);

/* Notes in `out` whether the listed TCP socket is part of MPTCP, and the token of its connection.
 * The kernel adds both only to a dump with INET_DIAG_INFO. */
void mptcp_parse(struct nlmsghdr *header, struct tcp_socket *out);

/* Replaces state, queues and owner of a TCP socket by those of its MPTCP socket, if the two have
 * the same ends. 0 or a negative errno. */
int mptcp_replace(struct nl_sock *sock, struct tcp_socket *s);

#endif
