/* A netlink(7) socket of a namespace. It stays in the namespace wherever the process goes. */
#ifndef LUNET_PLATFORM_NETLINK_SOCKET_H
#define LUNET_PLATFORM_NETLINK_SOCKET_H

#include <stddef.h>

struct nl_msg;
struct nl_sock;

/* ns: -1 for the home host's; protocol: NETLINK_ROUTE, ... Free the socket with nl_socket_free. 0
 * or a negative errno. */
int netlink_socket_open(int ns, int protocol, struct nl_sock **out);

/* Asks for a list by a socket of its own, and hands each message of the answer to `take`. That
 * returns NL_OK or libnl's number of an error. 0 or a negative errno. */
int netlink_dump(int ns, int protocol, int type, void *request, size_t size,
                 int (*take)(struct nl_msg *message, void *context), void *context);

#endif
