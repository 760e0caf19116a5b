/* A host has its own network stack, in its own namespace. NULL stands for the home host. */
#ifndef LUNET_HANDLE_HOST_H
#define LUNET_HANDLE_HOST_H

#include "handle/loop.h"
#include "handle/scope.h"
#include "platform/firewall.h"

typedef struct host host;
struct nl_sock;

/* 0 or a negative errno: -EOVERFLOW when the loop has no host number left. */
int host_open(loop *lp, scope *s, const char *name, host **out);

/* A host is a handle (scope.h). Its close resets every connection and closes every listener on the
 * host, then closes the namespace. The kernel then ends the namespace at once, unless an earlier
 * closed connection still has unsent data. */

const char *host_name(const host *h);
uint16_t host_number(const host *h); /* 0 for home; never reused within a loop */
int host_namespace(const host *h);
struct nl_sock *host_routes(const host *h); /* a netlink socket to its routing tables */

/* The host's firewall. The first call opens it, and the host's close closes it. 0 or a negative
 * errno. */
int host_firewall(host *h, firewall **out);

/* Opens a non-blocking stream socket on the host; protocol: as for socket_open. A descriptor or a
 * negative errno. */
int host_socket(const host *h, int family, int protocol);

#endif
