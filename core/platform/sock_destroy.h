/* Ends sockets that no program need hold: SOCK_DESTROY (sock_diag(7)), which `ss -K` sends. The
 * kernel needs CONFIG_INET_DIAG_DESTROY. */
#ifndef LUNET_PLATFORM_SOCK_DESTROY_H
#define LUNET_PLATFORM_SOCK_DESTROY_H

#include "platform/sock_diag.h"

/* Destroys the listed sockets of the namespace. `count`: how many were still there. Returns 0 or a
 * negative errno: -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP if the kernel cannot, which it says
 * even of an empty list. */
int sock_destroy(int ns, const struct sock_diag_list *list, size_t *count);

#endif
