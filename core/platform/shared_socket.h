/* Sockets that a program has, too. O_NONBLOCK belongs to the open file description, which both
 * share (open(2)): either side can change it at any time. So lunet's calls must not rely on it.
 * send(2) and recv(2) take MSG_DONTWAIT; accept4(2) has no such flag. */
#ifndef LUNET_PLATFORM_SHARED_SOCKET_H
#define LUNET_PLATFORM_SHARED_SOCKET_H

#include <stdbool.h>

#include "platform/address.h"

int shared_socket_set_blocking(int fd, bool blocks); /* 0 or a negative errno */

/* Like socket_accept. If a program takes the connection between this poll(2) and the accept4(2) of
 * a blocking listener, it returns -EAGAIN after 1 ms. */
int shared_socket_accept(int fd, address *peer);

/* Its second half: accept4(2), which a signal ends after 1 ms. */
int shared_socket_accept_bounded(int fd, address *peer);

#endif
