/* A host: a network stack of its own, in a namespace of its own. NULL stands for the home host. */
#ifndef LUNET_HANDLE_HOST_H
#define LUNET_HANDLE_HOST_H

#include "handle/loop.h"
#include "handle/scope.h"

typedef struct host host;
typedef struct firewall firewall;
struct nl_sock;

/* Fails with -EOVERFLOW when the loop has no number left for it. */
int host_open(loop *lp, scope *s, const char *name, host **out);

/* A host is a handle (scope.h). Its close resets every connection and closes every listener on it,
 * then lets its namespace go. The kernel ends that when nothing of it is left: at once, unless a
 * connection that was closed before still has unsent data. */

const char *host_name(const host *h);
uint16_t host_number(const host *h); /* 0 for home; never reused within a loop */
int host_namespace(const host *h);
struct nl_sock *host_routes(const host *h); /* a netlink socket to its routing tables */

/* Its firewall, opened at first use and closed with the host. 0 or a negative errno. */
int host_firewall(host *h, firewall **out);

/* A non-blocking stream socket of the host. */
int host_socket(const host *h, int family);

#endif
