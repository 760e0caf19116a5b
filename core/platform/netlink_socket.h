/* A netlink(7) socket of a namespace. It stays in the namespace wherever the process goes. */
#ifndef LUNET_PLATFORM_NETLINK_SOCKET_H
#define LUNET_PLATFORM_NETLINK_SOCKET_H

struct nl_sock;

/* ns: -1 for the home host's; protocol: NETLINK_ROUTE, ... Free the socket with nl_socket_free. 0
 * or a negative errno. */
int netlink_socket_open(int ns, int protocol, struct nl_sock **out);

#endif
