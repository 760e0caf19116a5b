#include "platform/unix_queue.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/netlink_socket.h"
#include "platform/unix_diag.h"

struct reply {
  bool found;
  uint32_t depth, limit; /* of a listener */
  uint32_t written,
    room; /* bytes of the kernel's memory: in use by what was written, and at most */
};

static void unix_queue_read_memory(struct nl_msg *message, struct reply *reply) {
  struct nlattr *memory =
    nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct unix_diag_msg), UNIX_DIAG_MEMINFO);
  if (memory == NULL || nla_len(memory) < (int)((SK_MEMINFO_SNDBUF + 1) * sizeof(uint32_t))) return;
  const uint32_t *values = nla_data(memory);
  reply->written = values[SK_MEMINFO_WMEM_ALLOC];
  reply->room = values[SK_MEMINFO_SNDBUF];
}

static int unix_queue_read_reply(struct nl_msg *message, void *argument) {
  struct reply *reply = argument;
  struct nlattr *queue =
    nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct unix_diag_msg), UNIX_DIAG_RQLEN);
  if (queue == NULL || nla_len(queue) < (int)sizeof(struct unix_diag_rqlen)) return NL_SKIP;
  const struct unix_diag_rqlen *lengths = nla_data(queue);
  /* net/unix/diag.c, sk_diag_show_rqlen(): for a listener, the queue and its limit. */
  *reply = (struct reply){true, lengths->udiag_rqueue, lengths->udiag_wqueue, 0, 0};
  unix_queue_read_memory(message, reply);
  return NL_OK;
}

static int unix_queue_ask(struct nl_sock *sock, ino_t inode, struct reply *reply) {
  return unix_diag_ask(sock, (uint32_t)inode, UDIAG_SHOW_RQLEN | UDIAG_SHOW_MEMINFO,
                       unix_queue_read_reply, reply);
}

/* unix_diag lists only the sockets of its own namespace. A socket tells its namespace only to a
 * process that has rights there; without such rights lunet has no hosts, so it is home's. */
static int unix_queue_open_where(int fd, struct nl_sock **out) {
  int ns = ioctl(fd, SIOCGSKNS);
  int result = netlink_socket_open(ns, NETLINK_SOCK_DIAG, out);
  if (ns != -1) close(ns);
  return result;
}

int unix_queue_read(int fd, uint32_t *depth, uint32_t *limit) {
  struct stat status;
  struct nl_sock *sock;
  struct reply reply = {0};
  if (fstat(fd, &status) == -1) return -errno;
  int result = unix_queue_open_where(fd, &sock);
  if (result < 0) return result;
  result = unix_queue_ask(sock, status.st_ino, &reply);
  nl_socket_free(sock);
  if (result == 0 && !reply.found) result = -ENOENT;
  if (result < 0) return result;
  *depth = reply.depth;
  *limit = reply.limit;
  return 0;
}

int unix_output_read(ino_t inode, uint32_t *memory, bool *is_full) {
  struct nl_sock *sock;
  struct reply reply = {0};
  int result = netlink_socket_open(-1, NETLINK_SOCK_DIAG, &sock);
  if (result < 0) return result;
  result = unix_queue_ask(sock, inode, &reply);
  nl_socket_free(sock);
  if (result == 0 && !reply.found) result = -ENOENT;
  *memory = reply.written;
  *is_full = reply.written >= reply.room;
  return result;
}
