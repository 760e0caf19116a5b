#include "platform/unix_clients.h"

#include <errno.h>
#include <linux/unix_diag.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "platform/netlink_socket.h"
#include "platform/unix_diag.h"

enum { MOST = 4096 };       /* the answer is at most two pages */
enum { SEND_SHUTDOWN = 2 }; /* include/net/sock.h */

struct clients {
  uint32_t inodes[MOST]; /* 0: it has closed */
  size_t count;
};

/* net/unix/diag.c, sk_diag_dump_icons(): the inodes of the other ends of what is queued. */
static int unix_clients_read_queue(struct nl_msg *message, void *argument) {
  struct clients *found = argument;
  struct nlattr *clients =
    nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct unix_diag_msg), UNIX_DIAG_ICONS);
  size_t size = clients == NULL ? 0 : (size_t)nla_len(clients);
  if (size > sizeof found->inodes) size = sizeof found->inodes;
  if (size > 0) memcpy(found->inodes, nla_data(clients), size);
  found->count = size / sizeof *found->inodes;
  return NL_OK;
}

static int unix_clients_read_client(struct nl_msg *message, void *argument) {
  uint32_t *left = argument;
  struct nlattr *shut =
    nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct unix_diag_msg), UNIX_DIAG_SHUTDOWN);
  if (shut != NULL && nla_len(shut) > 0 && (nla_get_u8(shut) & SEND_SHUTDOWN)) ++*left;
  return NL_OK;
}

/* A client in another namespace is not found, and counts as there. One that closes meanwhile is
 * not found either: the next look sees it. */
static int unix_clients_count(struct nl_sock *sock, uint32_t queue, uint32_t *left) {
  struct clients found = {.count = 0};
  int result = unix_diag_ask(sock, queue, UDIAG_SHOW_ICONS, unix_clients_read_queue, &found);
  for (size_t i = 0; result == 0 && i < found.count; i++) {
    if (found.inodes[i] == 0)
      ++*left;
    else
      result = unix_diag_ask(sock, found.inodes[i], 0, unix_clients_read_client, left);
    if (result == -ENOENT) result = 0;
  }
  return result;
}

int unix_clients_count_left(int ns, uint32_t queue, uint32_t *left) {
  struct nl_sock *sock;
  *left = 0;
  int result = netlink_socket_open(ns, NETLINK_SOCK_DIAG, &sock);
  if (result < 0) return result;
  result = unix_clients_count(sock, queue, left);
  nl_socket_free(sock);
  return result;
}
