#include "platform/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "platform/namespace.h"
#include "platform/netlink_error.h"

int link_open(int ns, struct nl_sock **out) {
  struct nl_sock *sock = nl_socket_alloc();
  if (sock == NULL) return -ENOMEM;
  nl_socket_disable_seq_check(sock); /* it counts acknowledgements, and ask gets none */
  int result = namespace_enter(ns);
  if (result == 0) {
    result = netlink_errno(nl_connect(sock, NETLINK_ROUTE));
    namespace_leave();
  }
  if (result < 0) {
    nl_socket_free(sock);
    return result;
  }
  *out = sock;
  return 0;
}

void link_close(struct nl_sock *sock) { nl_socket_free(sock); }

/* Sends the message, waits for its acknowledgement and frees it. */
static int transact(struct nl_sock *sock, struct nl_msg *message) {
  return netlink_errno(nl_send_sync(sock, message)); /* frees it in any case */
}

static struct nl_msg *new_message(int type, int flags, const void *header, size_t size) {
  struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
  if (message != NULL) nlmsg_append(message, (void *)header, size, NLMSG_ALIGNTO);
  return message;
}

static struct nl_msg *new_link_message(int type, int flags, unsigned if_flags) {
  struct ifinfomsg header = {
    .ifi_family = AF_UNSPEC, .ifi_flags = if_flags, .ifi_change = if_flags};
  return new_message(type, flags, &header, sizeof header);
}

/* The kernel takes the flags of a new link at once: no second message sets it up. */
static struct nl_msg *new_create_message(void) {
  return new_link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, IFF_UP);
}

int link_create_pair(struct nl_sock *sock, const char *name, int peer_ns, const char *peer_name) {
  /* Not up yet: the kernel opens it before it knows its peer (drivers/net/veth.c, veth_open). */
  struct ifinfomsg peer_header = {.ifi_family = AF_UNSPEC};
  struct nl_msg *message = new_create_message();
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
  nla_put_string(message, IFLA_INFO_KIND, "veth");
  struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
  struct nlattr *peer = nla_nest_start(message, VETH_INFO_PEER);
  nlmsg_append(message, &peer_header, sizeof peer_header, NLMSG_ALIGNTO);
  nla_put_string(message, IFLA_IFNAME, peer_name);
  nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)peer_ns);
  nla_nest_end(message, peer);
  nla_nest_end(message, data);
  nla_nest_end(message, info);
  return transact(sock, message);
}

int link_create_bridge(struct nl_sock *sock, const char *name) {
  struct nl_msg *message = new_create_message();
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
  nla_put_string(message, IFLA_INFO_KIND, "bridge");
  nla_nest_end(message, info);
  return transact(sock, message);
}

/* -- looking at a link --------------------------------------------------------------------- */

struct link_state {
  int index;
  uint8_t operstate;
};

static int read_link(struct nl_msg *message, void *argument) {
  struct link_state *state = argument;
  struct nlmsghdr *header = nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWLINK) return NL_SKIP;
  const struct ifinfomsg *link = nlmsg_data(header);
  struct nlattr *operstate = nlmsg_find_attr(header, sizeof *link, IFLA_OPERSTATE);
  state->index = link->ifi_index;
  state->operstate = operstate == NULL ? 0 : nla_get_u8(operstate);
  return NL_OK;
}

/* Sends a question, which is answered by one message: without an acknowledgement behind it, which
 * would be left for the next transaction to find. */
static int ask(struct nl_sock *sock, struct nl_msg *message) {
  nl_complete_msg(sock, message);
  nlmsg_hdr(message)->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
  int result = nl_send(sock, message);
  nlmsg_free(message);
  return netlink_errno(result < 0 ? result : nl_recvmsgs_default(sock));
}

static int look(struct nl_sock *sock, const char *name, struct link_state *state) {
  struct nl_msg *message = new_link_message(RTM_GETLINK, 0, 0);
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  *state = (struct link_state){0, 0};
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read_link, state);
  int result = ask(sock, message);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
  if (result == 0 && state->index == 0) result = -ENODEV;
  return result;
}

static int find_index(struct nl_sock *sock, const char *name) {
  struct link_state state;
  int result = look(sock, name, &state);
  return result < 0 ? result : state.index;
}

int link_is_up(struct nl_sock *sock, const char *name) {
  struct link_state state;
  int result = look(sock, name, &state);
  return result < 0 ? result : state.operstate == IF_OPER_UP;
}

/* -- changing one -------------------------------------------------------------------------- */

int link_attach(struct nl_sock *sock, const char *name, const char *bridge) {
  int index = find_index(sock, bridge);
  if (index < 0) return index;
  struct nl_msg *message = new_link_message(RTM_NEWLINK, 0, 0);
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  nla_put_u32(message, IFLA_MASTER, (uint32_t)index);
  return transact(sock, message);
}

int link_set_up(struct nl_sock *sock, const char *name) {
  struct nl_msg *message = new_link_message(RTM_NEWLINK, 0, IFF_UP);
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  return transact(sock, message);
}

int link_delete(struct nl_sock *sock, const char *name) {
  struct nl_msg *message = new_link_message(RTM_DELLINK, 0, 0);
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  return transact(sock, message);
}

int link_add_address(struct nl_sock *sock, const char *name, const address *a, int prefix) {
  int index = find_index(sock, name);
  if (index < 0) return index;
  bool is_in6 = address_family(a) == AF_INET6;
  struct ifaddrmsg header = {
    .ifa_family = (uint8_t)address_family(a),
    .ifa_prefixlen = (uint8_t)prefix,
    .ifa_flags = IFA_F_NODAD,
    .ifa_index = (uint32_t)index,
  };
  const void *bytes = is_in6 ? (const void *)&a->as.in6.sin6_addr : &a->as.in.sin_addr;
  int size = is_in6 ? sizeof a->as.in6.sin6_addr : sizeof a->as.in.sin_addr;
  struct nl_msg *message =
    new_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  if (message == NULL) return -ENOMEM;
  nla_put(message, IFA_LOCAL, size, bytes);
  nla_put(message, IFA_ADDRESS, size, bytes);
  return transact(sock, message);
}
