#include "platform/unix_queue.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "platform/netlink_error.h"

struct reply {
  bool found;
  uint32_t depth, limit;
};

static int read_reply(struct nl_msg *message, void *argument) {
  struct reply *reply = argument;
  struct nlattr *queue =
    nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct unix_diag_msg), UNIX_DIAG_RQLEN);
  if (queue == NULL || nla_len(queue) < (int)sizeof(struct unix_diag_rqlen)) return NL_SKIP;
  const struct unix_diag_rqlen *lengths = nla_data(queue);
  /* net/unix/diag.c, sk_diag_show_rqlen(): for a listener, the queue and its limit. */
  *reply = (struct reply){true, lengths->udiag_rqueue, lengths->udiag_wqueue};
  return NL_OK;
}

static int ask(struct nl_sock *sock, ino_t inode, struct reply *reply) {
  struct unix_diag_req request = {
    .sdiag_family = AF_UNIX,
    .udiag_states = UINT32_MAX,
    .udiag_ino = (uint32_t)inode,
    .udiag_show = UDIAG_SHOW_RQLEN,
    .udiag_cookie = {UINT32_MAX, UINT32_MAX},
  };
  int result = nl_connect(sock, NETLINK_SOCK_DIAG);
  if (result < 0) return netlink_errno(result);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read_reply, reply);
  result = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, 0, &request, sizeof request);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  return result < 0 ? netlink_errno(result) : 0;
}

int unix_queue_read(int fd, uint32_t *depth, uint32_t *limit) {
  struct stat status;
  struct reply reply = {false, 0, 0};
  if (fstat(fd, &status) == -1) return -errno;
  struct nl_sock *sock = nl_socket_alloc();
  if (sock == NULL) return -ENOMEM;
  int result = ask(sock, status.st_ino, &reply);
  nl_socket_free(sock);
  if (result == 0 && !reply.found) result = -ENOENT;
  if (result < 0) return result;
  *depth = reply.depth;
  *limit = reply.limit;
  return 0;
}
