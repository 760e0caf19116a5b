#include "platform/netlink_socket.h"

#include <errno.h>
#include <netlink/netlink.h>

#include "platform/namespace.h"
#include "platform/netlink_error.h"

/* libnl has no number for some errors of socket(2), such as EMFILE. */
static int netlink_socket_open_socket(struct nl_sock *sock, int protocol) {
  errno = 0;
  int result = nl_connect(sock, protocol);
  if (result < 0 && errno != 0) return -errno;
  return netlink_errno(result);
}

static int netlink_socket_connect_inside(int ns, int protocol, struct nl_sock *sock) {
  int result = ns == -1 ? 0 : namespace_enter(ns);
  if (result < 0) return result;
  result = netlink_socket_open_socket(sock, protocol);
  if (ns != -1) namespace_leave();
  return result;
}

int netlink_socket_open(int ns, int protocol, struct nl_sock **out) {
  struct nl_sock *sock = nl_socket_alloc();
  if (sock == NULL) return -ENOMEM;
  int result = netlink_socket_connect_inside(ns, protocol, sock);
  if (result < 0)
    nl_socket_free(sock);
  else
    *out = sock;
  return result;
}

int netlink_dump(int ns, int protocol, int type, void *request, size_t size,
                 int (*take)(struct nl_msg *message, void *context), void *context) {
  struct nl_sock *sock;
  int result = netlink_socket_open(ns, protocol, &sock);
  if (result < 0) return result;
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, take, context);
  result = nl_send_simple(sock, type, NLM_F_DUMP, request, size);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  nl_socket_free(sock);
  return result < 0 ? netlink_errno(result) : 0;
}
