#include "platform/mptcp.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/namespace_file.h"
#include "platform/netlink_error.h"
#include "platform/socket.h"
#include "platform/tcp_info.h"

/* The first fields of struct mptcp_info (linux/mptcp.h). The kernel counts the bytes since
 * Linux 6.5. */
struct info {
  uint8_t counts[8];
  uint32_t flags, token;
  uint64_t write_seq, snd_una, rcv_nxt;
  uint8_t addresses[4];
  uint32_t retransmits;
  uint64_t bytes_retrans, bytes_sent, bytes_received;
};

/* -- whether there is any ------------------------------------------------------------------ */

/* A line is "MPTCP     1680      2 ...": the protocol's name, a socket's size, the number of
 * sockets. The line of IPv6 begins with "MPTCPv6". */
bool mptcp_is_used(int ns) {
  char *text;
  if (namespace_read_file(ns, "/proc/thread-self/net/protocols", &text) < 0) return false;
  int count = 0;
  for (const char *line = text; count == 0 && (line = strstr(line, "\nMPTCP")) != NULL; line++)
    sscanf(line, "%*s %*d %d", &count);
  free(text);
  return count > 0;
}

/* -- a TCP socket of an MPTCP connection --------------------------------------------------- */

void mptcp_parse(struct nlmsghdr *header, struct tcp_socket *out) {
  struct nlattr *ulp = nlmsg_find_attr(header, sizeof(struct inet_diag_msg), INET_DIAG_ULP_INFO);
  struct nlattr *name =
    ulp == NULL ? NULL : nla_find(nla_data(ulp), nla_len(ulp), INET_ULP_INFO_NAME);
  if (name == NULL || nla_strcmp(name, "mptcp") != 0) return;
  out->is_mptcp = true;
  struct nlattr *info = nla_find(nla_data(ulp), nla_len(ulp), INET_ULP_INFO_MPTCP);
  struct nlattr *token =
    info == NULL ? NULL : nla_find(nla_data(info), nla_len(info), MPTCP_SUBFLOW_ATTR_TOKEN_LOC);
  if (token != NULL) out->mptcp_token = nla_get_u32(token);
}

/* -- the MPTCP connection of a TCP socket -------------------------------------------------- */

struct reply {
  bool has_come;
  struct inet_diag_msg message;
  struct info info;
  size_t info_length;
};

static int mptcp_read_reply(struct nl_msg *message, void *argument) {
  struct reply *reply = argument;
  struct nlmsghdr *header = nlmsg_hdr(message);
  reply->has_come = true;
  memcpy(&reply->message, nlmsg_data(header), sizeof reply->message);
  struct nlattr *info = nlmsg_find_attr(header, sizeof reply->message, INET_DIAG_INFO);
  if (info == NULL) return NL_OK;
  reply->info_length = (size_t)nla_len(info);
  if (reply->info_length > sizeof reply->info) reply->info_length = sizeof reply->info;
  memcpy(&reply->info, nla_data(info), reply->info_length);
  return NL_OK;
}

/* Asks for one connection, by its token. To list all, the kernel would walk those of the whole
 * machine. */
static int mptcp_ask(struct nl_sock *sock, int family, uint32_t token, struct reply *reply) {
  struct inet_diag_req_v2 request = {
    .sdiag_family = (uint8_t)family,
    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
    .idiag_states = UINT32_MAX,
    .id.idiag_cookie = {token},
  };
  struct nl_msg *message = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST);
  if (message == NULL) return -ENOMEM;
  nlmsg_append(message, &request, sizeof request, NLMSG_ALIGNTO);
  nla_put_u32(message, INET_DIAG_REQ_PROTOCOL, SOCKET_MPTCP);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, mptcp_read_reply, reply);
  nl_socket_disable_auto_ack(sock);
  int result = nl_send_auto(sock, message);
  nlmsg_free(message);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  return result < 0 ? netlink_errno(result) : 0;
}

/* Whether the two have the same ends. The later TCP connections of an MPTCP connection do not. */
static bool mptcp_is_first(const struct tcp_socket *s, const struct inet_diag_msg *m) {
  size_t size = (size_t)address_bits(&s->local) / 8;
  return address_port(&s->local) == ntohs(m->id.idiag_sport) &&
         address_port(&s->peer) == ntohs(m->id.idiag_dport) &&
         memcmp(m->id.idiag_src, address_bytes(&s->local), size) == 0 &&
         memcmp(m->id.idiag_dst, address_bytes(&s->peer), size) == 0;
}

/* idiag_rqueue counts memory, several times the bytes. Before anybody has read, every byte received
 * is unread. */
static uint32_t mptcp_receive_queue(const struct reply *reply) {
  bool is_queued = reply->message.idiag_inode == 0;
  bool has_bytes = reply->info_length >= sizeof reply->info;
  if (!is_queued || !has_bytes) return reply->message.idiag_rqueue;
  bool fin = TCP_STATES_AFTER_FIN & 1u << reply->message.idiag_state;
  return (uint32_t)reply->info.bytes_received + (fin ? 1 : 0);
}

int mptcp_replace(struct nl_sock *sock, struct tcp_socket *s) {
  struct reply reply = {.has_come = false};
  int result = mptcp_ask(sock, address_family(&s->local), s->mptcp_token, &reply);
  if (result < 0 || !reply.has_come || !mptcp_is_first(s, &reply.message)) return result;
  s->state = reply.message.idiag_state;
  s->receive_queue = mptcp_receive_queue(&reply);
  s->send_queue = (uint32_t)(reply.info.write_seq - reply.info.snd_una);
  s->inode = reply.message.idiag_inode;
  s->uid = reply.message.idiag_uid;
  return 0;
}
