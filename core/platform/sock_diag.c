#include "platform/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/mptcp.h"
#include "platform/namespace.h"
#include "platform/netlink_error.h"
#include "platform/netlink_socket.h"
#include "platform/socket.h"

enum { BUFFER = 32 * 1024, FIRST_ROOM = 16 }; /* the kernel fills no more than 32 KiB at once */

struct reading {
  const struct sock_diag_filter *filter;
  struct sock_diag_list *list;
  bool has_mptcp;
};

/* -- one socket ---------------------------------------------------------------------------- */

/* A connection between link-local addresses is bound to its interface. */
static void sock_diag_set_address(address *out, int family, const __be32 bytes[4], __be16 port,
                                  uint32_t interface) {
  *out = address_of_bytes(family, bytes, ntohs(port));
  if (address_is_link_local(out)) out->as.in6.sin6_scope_id = interface;
}

static void sock_diag_set_info(struct tcp_info_memory *out, struct nlattr *info) {
  if (info == NULL) return;
  size_t length = (size_t)nla_len(info);
  if (length > sizeof out->words) length = sizeof out->words;
  memcpy(out->words, nla_data(info), length);
  out->length = (int)length;
}

static int64_t sock_diag_drops(struct nlattr *memory) {
  if (memory == NULL || nla_len(memory) < (int)(SK_MEMINFO_VARS * sizeof(uint32_t))) return -1;
  return ((const uint32_t *)nla_data(memory))[SK_MEMINFO_DROPS];
}

static void sock_diag_parse(struct nlmsghdr *header, struct tcp_socket *out) {
  const struct inet_diag_msg *message = nlmsg_data(header);
  *out = (struct tcp_socket){
    .state = message->idiag_state,
    .timer = message->idiag_timer,
    .retransmits = message->idiag_retrans,
    .expires_ms = message->idiag_expires,
    .receive_queue = message->idiag_rqueue,
    .send_queue = message->idiag_wqueue,
    .uid = message->idiag_uid,
    .inode = message->idiag_inode,
  };
  const struct inet_diag_sockid *id = &message->id;
  sock_diag_set_address(&out->local, message->idiag_family, id->idiag_src, id->idiag_sport,
                        id->idiag_if);
  if (message->idiag_state != TCP_STATE_LISTEN)
    sock_diag_set_address(&out->peer, message->idiag_family, id->idiag_dst, id->idiag_dport,
                          id->idiag_if);
  struct nlattr *mark = nlmsg_find_attr(header, sizeof *message, INET_DIAG_MARK);
  if (mark != NULL && nla_len(mark) == sizeof out->mark) out->mark = nla_get_u32(mark);
  out->drops = sock_diag_drops(nlmsg_find_attr(header, sizeof *message, INET_DIAG_SKMEMINFO));
  sock_diag_set_info(&out->info, nlmsg_find_attr(header, sizeof *message, INET_DIAG_INFO));
}

/* -- the filter ---------------------------------------------------------------------------- */

/* Whether both are known to be on different interfaces. */
static bool sock_diag_is_elsewhere(const address *a, const address *wanted) {
  if (!address_is_link_local(a) || !address_is_link_local(wanted)) return false;
  uint32_t scope = a->as.in6.sin6_scope_id, wanted_scope = wanted->as.in6.sin6_scope_id;
  return scope != 0 && wanted_scope != 0 && scope != wanted_scope;
}

static bool sock_diag_is_at(const address *a, const address *wanted) {
  if (address_family(wanted) == AF_UNSPEC) return true;
  if (sock_diag_is_elsewhere(a, wanted)) return false;
  address plain = address_plain(a), plain_wanted = address_plain(wanted);
  return address_shares(&plain, &plain_wanted, address_bits(&plain_wanted));
}

static bool sock_diag_is_wanted(const struct sock_diag_filter *f, const struct tcp_socket *s) {
  if (!(f->states & 1u << s->state)) return false;
  int local_port = address_port(&s->local), peer_port = address_port(&s->peer);
  if (f->local_port != 0 && f->local_port != local_port) return false;
  if (f->peer_port != 0 && f->peer_port != peer_port) return false;
  if (f->port != 0 && f->port != local_port && f->port != peer_port) return false;
  if (f->mark != 0 && f->mark != s->mark) return false;
  if (f->owned != -1 && f->owned != (s->inode != 0)) return false;
  return sock_diag_is_at(&s->local, &f->local) && sock_diag_is_at(&s->peer, &f->peer);
}

/* -- the dump ------------------------------------------------------------------------------ */

static int sock_diag_make_room(struct sock_diag_list *list) {
  if (list->count < list->room) return 0;
  size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
  struct tcp_socket *longer = reallocarray(list->sockets, room, sizeof *longer);
  if (longer == NULL) return -ENOMEM;
  list->sockets = longer;
  list->room = room;
  return 0;
}

static int sock_diag_read_socket(struct nl_msg *message, void *argument) {
  struct reading *reading = argument;
  struct sock_diag_list *list = reading->list;
  if (sock_diag_make_room(list) < 0) return -NLE_NOMEM;
  struct tcp_socket *s = &list->sockets[list->count];
  sock_diag_parse(nlmsg_hdr(message), s);
  if (reading->has_mptcp) mptcp_parse(nlmsg_hdr(message), s);
  if (!reading->filter->wants_info) s->info.length = 0;
  if (s->is_mptcp || sock_diag_is_wanted(reading->filter, s)) list->count++;
  return NL_OK;
}

static uint8_t sock_diag_extensions(const struct reading *reading) {
  unsigned bits = 0;
  bool wants_info = reading->filter->wants_info || reading->has_mptcp;
  if (wants_info) bits |= 1 << (INET_DIAG_INFO - 1);
  if (reading->filter->states & 1 << TCP_STATE_LISTEN) bits |= 1 << (INET_DIAG_SKMEMINFO - 1);
  return (uint8_t)bits;
}

/* The state of an MPTCP connection is not that of its TCP socket. */
static int sock_diag_dump(struct nl_sock *sock, int family, const struct reading *reading) {
  struct inet_diag_req_v2 request = {
    .sdiag_family = (uint8_t)family,
    .sdiag_protocol = IPPROTO_TCP,
    .idiag_ext = sock_diag_extensions(reading),
    .idiag_states = reading->has_mptcp ? SOCK_DIAG_STATES : reading->filter->states,
  };
  int result = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof request);
  if (result >= 0) result = nl_recvmsgs_default(sock);
  return netlink_errno(result);
}

static int sock_diag_dump_families(struct nl_sock *sock, const struct reading *reading) {
  int result = 0, family = reading->filter->family;
  if (family != AF_INET6) result = sock_diag_dump(sock, AF_INET, reading);
  if (family != AF_INET && result >= 0) result = sock_diag_dump(sock, AF_INET6, reading);
  return result;
}

static void sock_diag_replace_mptcp(struct nl_sock *sock, const struct reading *reading) {
  struct sock_diag_list *list = reading->list;
  size_t kept = 0;
  for (size_t i = 0; i < list->count; i++) {
    struct tcp_socket *s = &list->sockets[i];
    if (s->mptcp_token != 0) mptcp_replace(sock, s); /* if that has gone meanwhile, it stays */
    if (sock_diag_is_wanted(reading->filter, s)) list->sockets[kept++] = *s;
  }
  list->count = kept;
}

static int sock_diag_compare_addresses(const address *a, const address *b) {
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  return memcmp(&a->as, &b->as, a->length);
}

static int sock_diag_compare(const void *a, const void *b) {
  const struct tcp_socket *x = a, *y = b;
  int difference = address_port(&x->local) - address_port(&y->local);
  if (difference == 0) difference = address_port(&x->peer) - address_port(&y->peer);
  if (difference == 0) difference = sock_diag_compare_addresses(&x->local, &y->local);
  return difference != 0 ? difference : sock_diag_compare_addresses(&x->peer, &y->peer);
}

/* -- the names of interfaces --------------------------------------------------------------- */

static int sock_diag_open_plain(int ns) {
  if (ns != -1) return namespace_socket(ns, AF_INET6, SOCK_DGRAM, 0);
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd == -1 ? -errno : fd;
}

static int sock_diag_find_zone(int ns, address *a) {
  if (a->zone[0] == '\0') return 0;
  int fd = sock_diag_open_plain(ns);
  int result = fd < 0 ? fd : socket_find_zone(fd, a);
  if (fd >= 0) close(fd);
  return result;
}

static bool sock_diag_has_zone(const struct tcp_socket *s) {
  return address_is_link_local(&s->local) || address_is_link_local(&s->peer);
}

static void sock_diag_name_zones(int ns, struct sock_diag_list *list) {
  int fd = -1;
  for (size_t i = 0; i < list->count; i++) {
    struct tcp_socket *s = &list->sockets[i];
    if (!sock_diag_has_zone(s)) continue;
    if (fd < 0) fd = sock_diag_open_plain(ns);
    if (fd < 0) return;
    socket_name_zone(fd, &s->local);
    socket_name_zone(fd, &s->peer);
  }
  if (fd >= 0) close(fd);
}

int sock_diag_read(int ns, const struct sock_diag_filter *wanted, struct sock_diag_list *out) {
  struct sock_diag_filter filter = *wanted;
  struct reading reading = {&filter, out, mptcp_is_used(ns)};
  struct nl_sock *sock;
  *out = (struct sock_diag_list){NULL, 0, 0};
  int result = sock_diag_find_zone(ns, &filter.peer);
  if (result == 0) result = netlink_socket_open(ns, NETLINK_SOCK_DIAG, &sock);
  if (result < 0) return result;
  nl_socket_set_msg_buf_size(sock, BUFFER);
  nl_socket_disable_msg_peek(sock); /* what comes fits */
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, sock_diag_read_socket, &reading);
  result = sock_diag_dump_families(sock, &reading);
  if (result >= 0 && reading.has_mptcp) sock_diag_replace_mptcp(sock, &reading);
  nl_socket_free(sock);
  sock_diag_name_zones(ns, out);
  if (out->count > 1) qsort(out->sockets, out->count, sizeof *out->sockets, sock_diag_compare);
  return result < 0 ? result : 0;
}

void sock_diag_free(struct sock_diag_list *list) {
  free(list->sockets);
  *list = (struct sock_diag_list){NULL, 0, 0};
}
