/* Asks the kernel about one Unix socket: unix_diag of sock_diag(7). */
#ifndef LUNET_PLATFORM_UNIX_DIAG_H
#define LUNET_PLATFORM_UNIX_DIAG_H

#include <netlink/handlers.h>
#include <netlink/types.h>
#include <stdint.h>

/* Gives `read` the answer about the socket with this inode; `show` are UDIAG_SHOW_ bits. 0 or a
 * negative errno: -ENOENT if there is no such socket in the namespace of `sock`. */
int unix_diag_ask(struct nl_sock *sock, uint32_t inode, uint32_t show, nl_recvmsg_msg_cb_t read,
                  void *context);

#endif
