/* One system call each, on plain non-blocking stream sockets. Every function returns 0 or a count,
 * or a negative errno; none retries, waits or reads ahead. */
#ifndef LUNET_PLATFORM_SOCKET_H
#define LUNET_PLATFORM_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/address.h"

/* The zone of an address by its name, as the number that the kernel takes, and back: on the host of
 * the socket. A zone may be given as a number, too. 0 or a negative errno: -ENODEV if the host has
 * no such interface. */
int socket_find_zone(int fd, address *a);
void socket_name_zone(int fd, address *a); /* of a link-local one */

int socket_open(int family); /* a descriptor: non-blocking, close-on-exec */
int socket_bind(int fd, const address *local);
int socket_listen(int fd, int backlog);

/* SO_MARK. Connections inherit it from their listener when their SYN comes (inet_request_mark), and
 * the kernel lists it with them, also while nobody has accepted them. -EPERM without privilege. */
int socket_mark(int fd, uint32_t mark);

/* Its number among the kernel's files, as sock_diag lists it; 0 if there is none. */
uint32_t socket_inode(int fd);

/* A descriptor. The peer's address comes from accept4 itself: getpeername(2) fails on a
 * connection that was reset while it was queued. */
int socket_accept(int fd, address *peer);

/* Call it again when the descriptor is writable: 0 means connected. -EINPROGRESS and -EALREADY
 * mean not yet. The second call reports the handshake's error without touching SO_ERROR. */
int socket_connect(int fd, const address *peer);

/* The error that waits for a socket which still connects: 0 or a negative errno. The kernel keeps
 * an ICMP error that came while connect(2) ran for whoever asks by SO_ERROR, shows it by POLLERR,
 * and goes on connecting (net/ipv4/tcp_ipv4.c, tcp_v4_err). Asking takes it away. */
int socket_connect_error(int fd);

ssize_t socket_send(int fd, const void *data, size_t length);
ssize_t socket_receive(int fd, void *data, size_t length);
ssize_t socket_peek(int fd, void *data, size_t length);
int socket_shutdown(int fd, int how); /* SHUT_RD, SHUT_WR (on TCP: FIN) or SHUT_RDWR */
void socket_close(int fd);
void socket_reset(int fd); /* closes with an RST (TCP) */

int socket_local(int fd, address *local);
int socket_peer(int fd, address *peer);
int socket_unread(int fd);                   /* bytes waiting to be received: SIOCINQ */
int socket_unsent(int fd, int *never_sent);  /* not yet acknowledged: SIOCOUTQ, SIOCOUTQNSD */
int socket_state(int fd, const char **name); /* "ESTABLISHED", ...; -EOPNOTSUPP unless TCP */

enum liveness { LIVENESS_OPEN, LIVENESS_FIN, LIVENESS_RESET };

/* What poll(2) and TCP_INFO know, without consuming data or the pending error. `shut` says that
 * this side sent its FIN: then TCP_CLOSE without a pending error is an orderly end. `deaf` says
 * that this side has shut its receiving, which poll(2) shows like the peer's end. */
int socket_liveness(int fd, bool shut, bool deaf, enum liveness *out);

/* The listener's accept queue at this moment, by the kernel's own numbers. */
int socket_queue(int fd, int family, uint32_t *depth, uint32_t *limit);

/* The longest queue that the socket's namespace lets a listener have, net.core.somaxconn, though
 * the namespace may not show that: by listening, on a socket that is not used otherwise. */
int socket_queue_limit(int fd, uint32_t *limit);

/* A pair of Unix sockets of a type, of which pair[0], lunet's own end, does not block. 0 or a
 * negative errno. */
int socket_open_pair(int type, int pair[2]);

#endif
