#include "platform/tracked.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>

#include "platform/netlink_socket.h"

enum { FIRST_ROOM = 16 };

/* The kernel's names (net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntrack_names). */
static const char *const STATES[] = {
  [TCP_CONNTRACK_NONE] = "NONE",         [TCP_CONNTRACK_SYN_SENT] = "SYN_SENT",
  [TCP_CONNTRACK_SYN_RECV] = "SYN_RECV", [TCP_CONNTRACK_ESTABLISHED] = "ESTABLISHED",
  [TCP_CONNTRACK_FIN_WAIT] = "FIN_WAIT", [TCP_CONNTRACK_CLOSE_WAIT] = "CLOSE_WAIT",
  [TCP_CONNTRACK_LAST_ACK] = "LAST_ACK", [TCP_CONNTRACK_TIME_WAIT] = "TIME_WAIT",
  [TCP_CONNTRACK_CLOSE] = "CLOSE",       [TCP_CONNTRACK_SYN_SENT2] = "SYN_SENT2"};

/* Whether it is a pair of ends of TCP. */
static bool tracked_parse_ends(struct nlattr *tuple, address *from, address *to) {
  struct nlattr *parts[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
  if (tuple == NULL || nla_parse_nested(parts, CTA_TUPLE_MAX, tuple, NULL) < 0) return false;
  if (parts[CTA_TUPLE_IP] == NULL || parts[CTA_TUPLE_PROTO] == NULL) return false;
  if (nla_parse_nested(ip, CTA_IP_MAX, parts[CTA_TUPLE_IP], NULL) < 0) return false;
  if (nla_parse_nested(proto, CTA_PROTO_MAX, parts[CTA_TUPLE_PROTO], NULL) < 0) return false;
  if (proto[CTA_PROTO_NUM] == NULL || nla_get_u8(proto[CTA_PROTO_NUM]) != IPPROTO_TCP) return false;
  struct nlattr *from_port = proto[CTA_PROTO_SRC_PORT], *to_port = proto[CTA_PROTO_DST_PORT];
  bool is_ipv6 = ip[CTA_IP_V6_SRC] != NULL;
  struct nlattr *source = ip[is_ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC];
  struct nlattr *destination = ip[is_ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST];
  if (!source || !destination || !from_port || !to_port) return false;
  int family = is_ipv6 ? AF_INET6 : AF_INET;
  *from = address_of_bytes(family, nla_data(source), ntohs(nla_get_u16(from_port)));
  *to = address_of_bytes(family, nla_data(destination), ntohs(nla_get_u16(to_port)));
  return true;
}

static const char *tracked_parse_state(struct nlattr *info) {
  struct nlattr *protocols[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];
  if (info == NULL || nla_parse_nested(protocols, CTA_PROTOINFO_MAX, info, NULL) < 0) return NULL;
  if (protocols[CTA_PROTOINFO_TCP] == NULL) return NULL;
  if (nla_parse_nested(tcp, CTA_PROTOINFO_TCP_MAX, protocols[CTA_PROTOINFO_TCP], NULL) < 0)
    return NULL;
  if (tcp[CTA_PROTOINFO_TCP_STATE] == NULL) return NULL;
  uint8_t state = nla_get_u8(tcp[CTA_PROTOINFO_TCP_STATE]);
  return state < sizeof STATES / sizeof *STATES ? STATES[state] : NULL;
}

static uint32_t tracked_get(struct nlattr *attribute) {
  return attribute == NULL ? 0 : ntohl(nla_get_u32(attribute));
}

static bool tracked_parse(struct nlmsghdr *header, struct tracked *out) {
  struct nlattr *all[CTA_MAX + 1];
  if (nlmsg_parse(header, sizeof(struct nfgenmsg), all, CTA_MAX, NULL) < 0) return false;
  uint32_t status = tracked_get(all[CTA_STATUS]);
  out->state = tracked_parse_state(all[CTA_PROTOINFO]);
  out->seconds = tracked_get(all[CTA_TIMEOUT]);
  out->replied = (status & IPS_SEEN_REPLY) != 0;
  out->assured = (status & IPS_ASSURED) != 0;
  return out->state != NULL && tracked_parse_ends(all[CTA_TUPLE_ORIG], &out->from, &out->to) &&
         tracked_parse_ends(all[CTA_TUPLE_REPLY], &out->reply_from, &out->reply_to);
}

static int tracked_take(struct nl_msg *message, void *context) {
  struct tracked_list *list = context;
  struct tracked one = {0};
  if (!tracked_parse(nlmsg_hdr(message), &one)) return NL_OK;
  if (list->count == list->room) {
    size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
    struct tracked *longer = reallocarray(list->all, room, sizeof *longer);
    if (longer == NULL) return -NLE_NOMEM;
    list->all = longer;
    list->room = room;
  }
  list->all[list->count++] = one;
  return NL_OK;
}

int tracked_read(int ns, struct tracked_list *out) {
  struct nfgenmsg request = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
  return netlink_dump(ns, NETLINK_NETFILTER, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                      &request, sizeof request, tracked_take, out);
}
