#include "platform/link.h"

#include <errno.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/ioctl.h>

#include "platform/netlink_error.h"
#include "platform/netlink_socket.h"

int link_open(int ns, struct nl_sock **out) {
  int result = netlink_socket_open(ns, NETLINK_ROUTE, out);
  if (result < 0) return result;
  nl_socket_disable_seq_check(*out); /* it counts acknowledgements, and link_ask gets none */
  return 0;
}

void link_close(struct nl_sock *sock) { nl_socket_free(sock); }

/* Reads what an exchange left unread when it failed: the next one would take it for its answer. */
static int link_ended(struct nl_sock *sock, int nl_result) {
  char rest[64];
  int result = netlink_errno(nl_result);
  while (result < 0 && recv(nl_socket_get_fd(sock), rest, sizeof rest, MSG_DONTWAIT) > 0) continue;
  return result;
}

static int link_note_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *number) {
  (void)from;
  *(int *)number = error->error;
  return NL_STOP;
}

/* Sends the message, waits for its acknowledgement and frees it. NULL: no memory. libnl has no
 * number of its own for some of the kernel's errors, such as ENETUNREACH. */
static int link_transact(struct nl_sock *sock, struct nl_msg *message) {
  int number = 0;
  if (message == NULL) return -ENOMEM;
  nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, link_note_error, &number);
  errno = 0;
  int result = link_ended(sock, nl_send_sync(sock, message)); /* frees it in any case */
  nl_socket_modify_err_cb(sock, NL_CB_DEFAULT, NULL, NULL);
  return result == -EIO && number < 0 ? number : result;
}

static struct nl_msg *link_new_message(int type, int flags, const void *header, size_t size) {
  struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
  if (message != NULL) nlmsg_append(message, (void *)header, size, NLMSG_ALIGNTO);
  return message;
}

static void link_put_address(struct nl_msg *message, int type, const address *a) {
  nla_put(message, type, address_bits(a) / 8, address_bytes(a));
}

/* A message about the link of this name. NULL: no name. */
static struct nl_msg *link_new_link_message(int type, unsigned if_flags, const char *name) {
  struct ifinfomsg header = {
    .ifi_family = AF_UNSPEC, .ifi_flags = if_flags, .ifi_change = if_flags};
  struct nl_msg *message = link_new_message(type, 0, &header, sizeof header);
  if (message != NULL && name != NULL) nla_put_string(message, IFLA_IFNAME, name);
  return message;
}

/* Returns a number that no other interface of this process has. The kernel would number the
 * interfaces of every namespace alike. But it tells a veth pair from a device with nothing below it
 * only by two different numbers (net/core/link_watch.c, linkwatch_urgent_event; dev_get_iflink).
 * With equal numbers the carrier event is not urgent: on 6.1 it waits for up to a second.
 * FIRST_INDEX is above the numbers that the kernel gives out. `last` is static, since it belongs to
 * the process. */
enum { FIRST_INDEX = 0x10000 };
static int link_next_index(void) {
  static int last = FIRST_INDEX - 1;
  last = last == INT_MAX ? FIRST_INDEX : last + 1;
  return last;
}

/* A new link takes its flags from this message, so no second one has to set it up. */
static struct nl_msg *link_new_create_message(void) {
  struct ifinfomsg header = {.ifi_family = AF_UNSPEC,
                             .ifi_index = link_next_index(),
                             .ifi_flags = IFF_UP,
                             .ifi_change = IFF_UP};
  return link_new_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
}

/* A veth end has a queue for each processor otherwise, each with its own objects in sysfs: on two
 * processors a link takes a fifth longer to make. */
static void link_put_one_queue(struct nl_msg *message) {
  nla_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
  nla_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

int link_create_pair(struct nl_sock *sock, const char *name, int peer_ns, const char *peer_name) {
  /* Not up yet: the kernel opens it before it knows the peer (drivers/net/veth.c, veth_open). */
  struct ifinfomsg peer_header = {.ifi_family = AF_UNSPEC, .ifi_index = link_next_index()};
  struct nl_msg *message = link_new_create_message();
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  link_put_one_queue(message);
  struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
  nla_put_string(message, IFLA_INFO_KIND, "veth");
  struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
  struct nlattr *peer = nla_nest_start(message, VETH_INFO_PEER);
  nlmsg_append(message, &peer_header, sizeof peer_header, NLMSG_ALIGNTO);
  nla_put_string(message, IFLA_IFNAME, peer_name);
  link_put_one_queue(message);
  nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)peer_ns);
  nla_nest_end(message, peer);
  nla_nest_end(message, data);
  nla_nest_end(message, info);
  return link_transact(sock, message);
}

int link_create_bridge(struct nl_sock *sock, const char *name) {
  struct nl_msg *message = link_new_create_message();
  if (message == NULL) return -ENOMEM;
  nla_put_string(message, IFLA_IFNAME, name);
  struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
  nla_put_string(message, IFLA_INFO_KIND, "bridge");
  nla_nest_end(message, info);
  return link_transact(sock, message);
}

/* -- looking at a link --------------------------------------------------------------------- */

struct link_state {
  int index;
  uint8_t operstate;
};

static int link_read(struct nl_msg *message, void *argument) {
  struct link_state *state = argument;
  struct nlmsghdr *header = nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWLINK) return NL_SKIP;
  const struct ifinfomsg *link = nlmsg_data(header);
  struct nlattr *operstate = nlmsg_find_attr(header, sizeof *link, IFLA_OPERSTATE);
  state->index = link->ifi_index;
  state->operstate = operstate == NULL ? 0 : nla_get_u8(operstate);
  return NL_OK;
}

/* Sends a question, and gives its one answer to `read`. Asks for no acknowledgement: it would come
 * after the answer, where only the next transaction would find it. Frees the message. */
static int link_ask(struct nl_sock *sock, struct nl_msg *message, nl_recvmsg_msg_cb_t read,
                    void *argument) {
  if (message == NULL) return -ENOMEM;
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read, argument);
  nl_complete_msg(sock, message);
  nlmsg_hdr(message)->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
  errno = 0;
  int result = nl_send(sock, message);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  result = link_ended(sock, result);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
  nlmsg_free(message);
  return result;
}

static int link_look(struct nl_sock *sock, const char *name, struct link_state *state) {
  *state = (struct link_state){0, 0};
  int result = link_ask(sock, link_new_link_message(RTM_GETLINK, 0, name), link_read, state);
  return result == 0 && state->index == 0 ? -ENODEV : result;
}

int link_index(struct nl_sock *sock, const char *name) {
  struct link_state state;
  int result = link_look(sock, name, &state);
  return result < 0 ? result : state.index;
}

int link_is_up(struct nl_sock *sock, const char *name) {
  struct link_state state;
  int result = link_look(sock, name, &state);
  return result < 0 ? result : state.operstate == IF_OPER_UP;
}

static int link_read_route(struct nl_msg *message, void *argument) {
  struct rtmsg *route = argument;
  struct nlmsghdr *header = nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWROUTE) return NL_SKIP;
  *route = *(const struct rtmsg *)nlmsg_data(header);
  return NL_OK;
}

/* The kernel adds an IPv6 address in two steps, the second in a work queue. In the second it joins
 * the multicast group that neighbours ask for the address, and last it adds the local route
 * (net/ipv6/addrconf.c, addrconf_dad_begin). A neighbour that asks before gets no answer, and asks
 * again after 1 s. */
int link_answers_for(struct nl_sock *sock, const address *a) {
  struct rtmsg wanted = {.rtm_family = (uint8_t)address_family(a),
                         .rtm_dst_len = (uint8_t)address_bits(a)};
  struct rtmsg found = {.rtm_type = RTN_UNSPEC};
  struct nl_msg *message = link_new_message(RTM_GETROUTE, 0, &wanted, sizeof wanted);
  if (message == NULL) return -ENOMEM;
  link_put_address(message, RTA_DST, a);
  int result = link_ask(sock, message, link_read_route, &found);
  if (result < 0 && result != -EIO) return result; /* EIO: there is no route at all yet */
  return found.rtm_type == RTN_LOCAL;
}

/* -- changing one -------------------------------------------------------------------------- */

/* Sets a number of a link. */
static int link_set_number(struct nl_sock *sock, const char *name, int attribute, uint32_t number) {
  struct nl_msg *message = link_new_link_message(RTM_NEWLINK, 0, name);
  if (message != NULL) nla_put_u32(message, attribute, number);
  return link_transact(sock, message);
}

int link_attach(struct nl_sock *sock, const char *name, const char *bridge) {
  int index = link_index(sock, bridge);
  return index < 0 ? index : link_set_number(sock, name, IFLA_MASTER, (uint32_t)index);
}

int link_set_up(struct nl_sock *sock, const char *name) {
  return link_transact(sock, link_new_link_message(RTM_NEWLINK, IFF_UP, name));
}

int link_set_down(struct nl_sock *sock, const char *name) {
  struct nl_msg *message = link_new_link_message(RTM_NEWLINK, IFF_UP, name);
  if (message != NULL)
    ((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(message)))->ifi_flags &= ~(unsigned)IFF_UP;
  return link_transact(sock, message);
}

/* The socket keeps its namespace, as for any request. */
static int link_control(struct nl_sock *sock, const char *name, unsigned long command,
                        struct ifreq *request) {
  strncpy(request->ifr_name, name, sizeof request->ifr_name - 1);
  return ioctl(nl_socket_get_fd(sock), command, request) == -1 ? -errno : 0;
}

int link_hardware_address(struct nl_sock *sock, const char *name, uint8_t out[6]) {
  struct ifreq request = {.ifr_ifindex = 0};
  int result = link_control(sock, name, SIOCGIFHWADDR, &request);
  memcpy(out, request.ifr_hwaddr.sa_data, 6);
  return result;
}

/* Without checksums by the device the kernel also turns off what needs them: TSO, GSO, SG
 * (net/core/dev.c, netdev_fix_features). */
int link_send_segments(struct nl_sock *sock, const char *name) {
  struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
  struct ifreq request = {.ifr_ifru = {.ifru_data = (void *)&off}};
  return link_control(sock, name, SIOCETHTOOL, &request);
}

int link_set_mtu(struct nl_sock *sock, const char *name, uint32_t bytes) {
  return link_set_number(sock, name, IFLA_MTU, bytes);
}

int link_delete(struct nl_sock *sock, const char *name) {
  return link_transact(sock, link_new_link_message(RTM_DELLINK, 0, name));
}

int link_set_group(struct nl_sock *sock, const char *name, uint32_t group) {
  return link_set_number(sock, name, IFLA_GROUP, group);
}

int link_delete_group(struct nl_sock *sock, uint32_t group) {
  struct nl_msg *message = link_new_link_message(RTM_DELLINK, 0, NULL);
  if (message != NULL) nla_put_u32(message, IFLA_GROUP, group);
  return link_transact(sock, message);
}

int link_add_route(struct nl_sock *sock, const address *to, int prefix, const address *gateway) {
  struct rtmsg header = {
    .rtm_family = (uint8_t)address_family(to),
    .rtm_dst_len = (uint8_t)prefix,
    .rtm_table = RT_TABLE_MAIN,
    .rtm_protocol = RTPROT_STATIC,
    .rtm_scope = RT_SCOPE_UNIVERSE,
    .rtm_type = RTN_UNICAST,
  };
  struct nl_msg *message =
    link_new_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  if (message == NULL) return -ENOMEM;
  link_put_address(message, RTA_DST, to);
  link_put_address(message, RTA_GATEWAY, gateway);
  return link_transact(sock, message);
}

enum { LOST_TABLE = 108 };

static int link_add_lost_route(struct nl_sock *sock, int family) {
  struct rtmsg header = {
    .rtm_family = (uint8_t)family,
    .rtm_table = LOST_TABLE,
    .rtm_protocol = RTPROT_STATIC,
    .rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
    .rtm_type = RTN_UNICAST,
  };
  struct nl_msg *message =
    link_new_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  if (message != NULL) nla_put_u32(message, RTA_OIF, LINK_LOOPBACK);
  return link_transact(sock, message);
}

static int link_add_lost_rule(struct nl_sock *sock, int family) {
  struct fib_rule_hdr header = {
    .family = (uint8_t)family, .table = LOST_TABLE, .action = FR_ACT_TO_TBL};
  struct nl_msg *message =
    link_new_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  if (message != NULL) nla_put_u32(message, FRA_FWMARK, LINK_LOST);
  return link_transact(sock, message);
}

int link_divert_lost(struct nl_sock *sock) {
  static const int families[] = {AF_INET, AF_INET6};
  for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
    int result = link_add_lost_route(sock, families[i]);
    if (families[i] == AF_INET6 && (result == -EAFNOSUPPORT || result == -EOPNOTSUPP))
      return 0; /* a kernel without IPv6 */
    if (result == 0 || result == -EEXIST) result = link_add_lost_rule(sock, families[i]);
    if (result < 0 && result != -EEXIST) return result;
  }
  return 0;
}

int link_add_address(struct nl_sock *sock, int index, const address *a, int prefix) {
  struct ifaddrmsg header = {
    .ifa_family = (uint8_t)address_family(a),
    .ifa_prefixlen = (uint8_t)prefix,
    .ifa_flags = IFA_F_NODAD,
    .ifa_index = (uint32_t)index,
  };
  struct nl_msg *message =
    link_new_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  if (message == NULL) return -ENOMEM;
  link_put_address(message, IFA_LOCAL, a);
  link_put_address(message, IFA_ADDRESS, a);
  return link_transact(sock, message);
}
