#include "platform/unix_diag.h"

#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "platform/netlink_error.h"

int unix_diag_ask(struct nl_sock *sock, uint32_t inode, uint32_t show, nl_recvmsg_msg_cb_t read,
                  void *context) {
  struct unix_diag_req request = {
    .sdiag_family = AF_UNIX,
    .udiag_states = UINT32_MAX,
    .udiag_ino = inode,
    .udiag_show = show,
    .udiag_cookie = {UINT32_MAX, UINT32_MAX},
  };
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read, context);
  int result = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, 0, &request, sizeof request);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  return result < 0 ? netlink_errno(result) : 0;
}
