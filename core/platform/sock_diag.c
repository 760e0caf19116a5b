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
#include <sys/socket.h>
#include <unistd.h>

#include "platform/mptcp.h"
#include "platform/namespace.h"
#include "platform/netlink_error.h"
#include "platform/netlink_socket.h"
#include "platform/socket.h"

enum { BUFFER = 32 * 1024, FIRST_ROOM = 16 }; /* the kernel fills no more than 32 KiB at once */

struct reading {
  const struct sock_diag_filter *filter;
  sock_diag_visitor *visit;
  void *context;
  bool has_mptcp;
  struct sock_diag_list aside; /* parts of MPTCP connections, until the dump is over */
  _Alignas(struct nlmsghdr) char buffer[BUFFER];
};

/* -- one socket ---------------------------------------------------------------------------- */

/* A connection between link-local addresses is bound to its interface. */
static void sock_diag_set_address(address *out, int family, const __be32 bytes[4], __be16 port,
                                  uint32_t interface) {
  *out = address_of_bytes(family, bytes, ntohs(port));
  if (address_is_link_local(out)) out->as.in6.sin6_scope_id = interface;
}

static void sock_diag_set_info(struct tcp_info_memory *out, struct nlattr *info) {
  size_t length = (size_t)nla_len(info);
  if (length > sizeof out->words) length = sizeof out->words;
  memcpy(out->words, nla_data(info), length);
  out->length = (int)length;
}

static int64_t sock_diag_drops(struct nlattr *memory) {
  if (nla_len(memory) < (int)(SK_MEMINFO_VARS * sizeof(uint32_t))) return -1;
  return ((const uint32_t *)nla_data(memory))[SK_MEMINFO_DROPS];
}

static void sock_diag_parse_attributes(struct nlmsghdr *header, struct tcp_socket *out) {
  struct nlattr *a;
  int left;
  out->drops = -1;
  nlmsg_for_each_attr(a, header, (int)sizeof(struct inet_diag_msg), left) {
    switch (nla_type(a)) {
    case INET_DIAG_MARK:
      if (nla_len(a) == sizeof out->mark) out->mark = nla_get_u32(a);
      break;
    case INET_DIAG_SKMEMINFO: out->drops = sock_diag_drops(a); break;
    case INET_DIAG_INFO: sock_diag_set_info(&out->info, a); break;
    default: break;
    }
  }
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
    .cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0],
  };
  const struct inet_diag_sockid *id = &message->id;
  sock_diag_set_address(&out->local, message->idiag_family, id->idiag_src, id->idiag_sport,
                        id->idiag_if);
  if (message->idiag_state != TCP_STATE_LISTEN)
    sock_diag_set_address(&out->peer, message->idiag_family, id->idiag_dst, id->idiag_dport,
                          id->idiag_if);
  sock_diag_parse_attributes(header, out);
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

static int sock_diag_append(void *context, const struct tcp_socket *s) {
  struct sock_diag_list *list = context;
  if (list->count == list->room) {
    size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
    struct tcp_socket *longer = reallocarray(list->sockets, room, sizeof *longer);
    if (longer == NULL) return -ENOMEM;
    list->sockets = longer;
    list->room = room;
  }
  list->sockets[list->count++] = *s;
  return 0;
}

static int sock_diag_pass(struct reading *reading, const struct tcp_socket *s) {
  return sock_diag_is_wanted(reading->filter, s) ? reading->visit(reading->context, s) : 0;
}

/* While a dump goes on, its netlink socket can ask nothing else: so MPTCP has to wait. */
static int sock_diag_read_socket(struct reading *reading, struct nlmsghdr *header) {
  struct tcp_socket s;
  sock_diag_parse(header, &s);
  if (reading->has_mptcp) mptcp_parse(header, &s);
  if (!reading->filter->wants_info) s.info.length = 0;
  return s.mptcp_token != 0 ? sock_diag_append(&reading->aside, &s) : sock_diag_pass(reading, &s);
}

/* 1 at the end of the dump, 0 before, or a negative errno. */
static int sock_diag_read_messages(struct reading *reading, struct nlmsghdr *header, int size) {
  int result = 0;
  for (; result == 0 && nlmsg_ok(header, size); header = nlmsg_next(header, &size)) {
    if (header->nlmsg_type == NLMSG_DONE) return 1;
    if (header->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)nlmsg_data(header))->error;
    result = sock_diag_read_socket(reading, header);
  }
  return result;
}

/* Not nl_recvmsgs(): it would copy each message. A long list has ten thousands of them. */
static int sock_diag_receive(struct nl_sock *sock, struct reading *reading) {
  int result = 0;
  while (result == 0) {
    ssize_t size = recv(nl_socket_get_fd(sock), reading->buffer, sizeof reading->buffer, 0);
    if (size == -1 && errno == EINTR) continue;
    result =
      size == -1 ? -errno : sock_diag_read_messages(reading, (void *)reading->buffer, (int)size);
  }
  return result < 0 ? result : 0;
}

static uint8_t sock_diag_extensions(const struct reading *reading) {
  unsigned bits = 0;
  bool wants_info = reading->filter->wants_info || reading->has_mptcp;
  if (wants_info) bits |= 1 << (INET_DIAG_INFO - 1);
  if (reading->filter->states & 1 << TCP_STATE_LISTEN) bits |= 1 << (INET_DIAG_SKMEMINFO - 1);
  return (uint8_t)bits;
}

/* The state of an MPTCP connection is not that of its TCP socket. */
static int sock_diag_dump(struct nl_sock *sock, int family, struct reading *reading) {
  struct inet_diag_req_v2 request = {
    .sdiag_family = (uint8_t)family,
    .sdiag_protocol = IPPROTO_TCP,
    .idiag_ext = sock_diag_extensions(reading),
    .idiag_states = reading->has_mptcp ? SOCK_DIAG_STATES : reading->filter->states,
  };
  int result = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof request);
  return result < 0 ? netlink_errno(result) : sock_diag_receive(sock, reading);
}

static int sock_diag_dump_families(struct nl_sock *sock, struct reading *reading) {
  int result = 0, family = reading->filter->family;
  if (family != AF_INET6) result = sock_diag_dump(sock, AF_INET, reading);
  if (family != AF_INET && result >= 0) result = sock_diag_dump(sock, AF_INET6, reading);
  return result;
}

static int sock_diag_replace_mptcp(struct nl_sock *sock, struct reading *reading) {
  int result = 0;
  for (size_t i = 0; result >= 0 && i < reading->aside.count; i++) {
    struct tcp_socket *s = &reading->aside.sockets[i];
    mptcp_replace(sock, s); /* if that has gone meanwhile, it stays */
    result = sock_diag_pass(reading, s);
  }
  return result;
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

int sock_diag_walk(int ns, const struct sock_diag_filter *wanted, sock_diag_visitor *visit,
                   void *context) {
  struct sock_diag_filter filter = *wanted;
  struct nl_sock *sock;
  int result = sock_diag_find_zone(ns, &filter.peer);
  if (result == 0) result = netlink_socket_open(ns, NETLINK_SOCK_DIAG, &sock);
  if (result < 0) return result;
  struct reading reading;
  reading.filter = &filter;
  reading.visit = visit;
  reading.context = context;
  reading.has_mptcp = mptcp_is_used(ns);
  reading.aside = (struct sock_diag_list){NULL, 0, 0};
  nl_socket_disable_auto_ack(sock);
  result = sock_diag_dump_families(sock, &reading);
  nl_socket_set_msg_buf_size(sock, BUFFER);
  nl_socket_disable_msg_peek(sock); /* what comes fits */
  if (result >= 0) result = sock_diag_replace_mptcp(sock, &reading);
  sock_diag_free(&reading.aside);
  nl_socket_free(sock);
  return result < 0 ? result : 0;
}

int sock_diag_read(int ns, const struct sock_diag_filter *wanted, struct sock_diag_list *out) {
  *out = (struct sock_diag_list){NULL, 0, 0};
  int result = sock_diag_walk(ns, wanted, sock_diag_append, out);
  sock_diag_name_zones(ns, out);
  if (out->count > 1) qsort(out->sockets, out->count, sizeof *out->sockets, sock_diag_compare);
  return result;
}

void sock_diag_free(struct sock_diag_list *list) {
  free(list->sockets);
  *list = (struct sock_diag_list){NULL, 0, 0};
}
