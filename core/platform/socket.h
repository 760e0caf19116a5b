/* Plain non-blocking stream sockets, one system call a function. Every function returns 0, a count
 * or a descriptor, or a negative errno. None retries, waits or reads ahead. */
#ifndef LUNET_PLATFORM_SOCKET_H
#define LUNET_PLATFORM_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/address.h"

/* Looks a zone up on the socket's host: socket_find_zone turns its name, or its number as text,
 * into the number that the kernel takes. 0 or a negative errno: -ENODEV if the host has no such
 * interface. */
int socket_find_zone(int fd, address *a);
void socket_name_zone(int fd, address *a); /* and back, for a link-local address */

enum { SOCKET_MPTCP = 262 }; /* IPPROTO_MPTCP, missing in older headers */

/* Returns a descriptor: non-blocking, close-on-exec. protocol: 0 or SOCKET_MPTCP. */
int socket_open(int family, int protocol);
bool socket_is_mptcp(int fd); /* a client without MPTCP is accepted as a TCP socket */
int socket_bind(int fd, const address *local);
int socket_listen(int fd, int backlog);
int socket_set(int fd, int level, int option, int value); /* setsockopt(2), also on other sockets */

/* Sets SO_MARK. A connection inherits the mark of its listener when its SYN comes
 * (inet_request_mark). The kernel lists the mark even before anybody has accepted the connection.
 * -EPERM without privilege. */
int socket_mark(int fd, uint32_t mark);

/* The inode of the socket, as sock_diag lists it; 0 if there is none. */
uint32_t socket_inode(int fd);

/* Returns a descriptor. accept4 itself tells the peer's address: getpeername(2) fails if an RST
 * came while the connection was queued. */
int socket_accept(int fd, address *peer);

/* Call it again when the descriptor is writable. 0 means connected, -EINPROGRESS and -EALREADY mean
 * not yet. The second call reports the handshake's error and leaves SO_ERROR alone. */
int socket_connect(int fd, const address *peer);

/* Takes the pending error of a socket that is still connecting: 0 or a negative errno. When an ICMP
 * error comes during connect(2), the kernel keeps it for SO_ERROR, shows POLLERR, and goes on
 * connecting (net/ipv4/tcp_ipv4.c, tcp_v4_err). */
int socket_connect_error(int fd);

ssize_t socket_send(int fd, const void *data, size_t length);
ssize_t socket_receive(int fd, void *data, size_t length);
ssize_t socket_peek(int fd, void *data, size_t length);

/* Takes up to `length` bytes of a TCP socket without copying them (MSG_TRUNC, tcp(7)). */
ssize_t socket_discard(int fd, size_t length);

int socket_dissolve(int fd);          /* connect(2) to AF_UNSPEC: ends the association */
int socket_shutdown(int fd, int how); /* SHUT_RD, SHUT_WR (on TCP: FIN) or SHUT_RDWR */
void socket_close(int fd);
void socket_reset(int fd); /* closes with an RST (TCP) */

int socket_local(int fd, address *local);
int socket_peer(int fd, address *peer);
int socket_unread(int fd);                   /* bytes not yet received: SIOCINQ */
int socket_unsent(int fd, int *never_sent);  /* bytes not yet acknowledged: SIOCOUTQ, SIOCOUTQNSD */
int socket_state(int fd, const char **name); /* "ESTABLISHED", ...; -EOPNOTSUPP unless TCP */

enum liveness { LIVENESS_OPEN, LIVENESS_FIN, LIVENESS_RESET };

/* Asks poll(2) and TCP_INFO. Takes neither data nor the pending error. `shut`: this side has sent
 * its FIN, so TCP_CLOSE without a pending error is an orderly end. `deaf`: this side has ended its
 * receiving, which poll(2) shows like the peer's FIN. `mptcp`: TCP_INFO is that of one of its TCP
 * sockets, which hears of no end. */
int socket_liveness(int fd, bool shut, bool deaf, bool mptcp, enum liveness *out);

/* The kernel's own numbers for the listener's accept queue at this moment. */
int socket_queue(int fd, int family, uint32_t *depth, uint32_t *limit);

/* Counts the SYNs and last ACKs that the kernel has dropped for this listener: tcp_listendrop().
 * -ENOPROTOOPT before Linux 4.12. */
int socket_drops(int fd, uint32_t *drops);

/* The longest queue that the socket's namespace allows: net.core.somaxconn, which the namespace may
 * not show. Listens on the socket to find out, so do not use it for anything else. */
int socket_queue_limit(int fd, uint32_t *limit);

/* Opens a pair of Unix sockets of a type. pair[0], lunet's own end, does not block. 0 or a negative
 * errno. */
int socket_open_pair(int type, int pair[2]);

#endif
