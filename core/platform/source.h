/* The local address of a socket that has forgotten it. */
#ifndef LUNET_PLATFORM_SOURCE_H
#define LUNET_PLATFORM_SOURCE_H

#include "platform/address.h"

/* Asks the routes of the socket's namespace for the source address towards a peer, and keeps the
 * port of `local`. A refused socket has forgotten its address: tcp_v4_connect chose one, but
 * inet_reset_saddr put 0.0.0.0 back after the refusal. 0 or a negative errno. */
int source_find(int fd, const address *peer, address *local);

#endif
