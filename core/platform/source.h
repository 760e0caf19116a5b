/* The address from which a socket talks to a peer, where the socket itself does not tell. */
#ifndef LUNET_PLATFORM_SOURCE_H
#define LUNET_PLATFORM_SOURCE_H

#include "platform/address.h"

/* Asks the routing of the socket's namespace for the source address that goes with a peer. A socket
 * that was refused has forgotten its own: tcp_v4_connect chose one, and the end of the attempt with
 * inet_reset_saddr put 0.0.0.0 back. The port of `local` stays. 0 or a negative errno. */
int source_find(int fd, const address *peer, address *local);

#endif
