/* A netlink(7) socket of a namespace: it speaks to that one from wherever the process is. */
#ifndef LUNET_PLATFORM_NETLINK_SOCKET_H
#define LUNET_PLATFORM_NETLINK_SOCKET_H

struct nl_sock;

/* ns: -1 for the home host's; protocol: NETLINK_ROUTE, ... 0 or a negative errno. Freed by
 * nl_socket_free. */
int netlink_socket_open(int ns, int protocol, struct nl_sock **out);

#endif
