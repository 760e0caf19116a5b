#include "platform/sock_destroy.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "platform/netlink_error.h"
#include "platform/netlink_socket.h"

static void sock_destroy_set_end(__be32 bytes[4], __be16 *port, const address *a) {
  if (a->length == 0) return; /* a listener's peer */
  memcpy(bytes, address_bytes(a), (size_t)address_bits(a) / 8);
  *port = htons((uint16_t)address_port(a));
}

/* The cookie makes sure that no later socket with the same ends is meant. */
static int sock_destroy_one(struct nl_sock *sock, const struct tcp_socket *s) {
  struct inet_diag_req_v2 request = {
    .sdiag_family = (uint8_t)address_family(&s->local),
    .sdiag_protocol = IPPROTO_TCP,
    .idiag_states = UINT32_MAX,
    .id.idiag_cookie = {(uint32_t)s->cookie, (uint32_t)(s->cookie >> 32)},
  };
  sock_destroy_set_end(request.id.idiag_src, &request.id.idiag_sport, &s->local);
  sock_destroy_set_end(request.id.idiag_dst, &request.id.idiag_dport, &s->peer);
  if (address_is_link_local(&s->local)) request.id.idiag_if = s->local.as.in6.sin6_scope_id;
  int result = nl_send_simple(sock, SOCK_DESTROY, 0, &request, sizeof request);
  if (result >= 0) result = nl_wait_for_ack(sock);
  return result < 0 ? netlink_errno(result) : 0;
}

/* Asks for a socket that cannot be, only to hear whether the kernel destroys any. */
static int sock_destroy_none(struct nl_sock *sock) {
  const uint8_t any[4] = {0};
  const struct tcp_socket none = {.local = address_of_bytes(AF_INET, any, 0)};
  return sock_destroy_one(sock, &none);
}

int sock_destroy(int ns, const struct sock_diag_list *list, size_t *count) {
  struct nl_sock *sock;
  *count = 0;
  int result = netlink_socket_open(ns, NETLINK_SOCK_DIAG, &sock);
  if (result < 0) return result;
  if (list->count == 0) result = sock_destroy_none(sock);
  for (size_t i = 0; result == 0 && i < list->count; i++) {
    result = sock_destroy_one(sock, &list->sockets[i]);
    if (result == 0) ++*count;
    if (result == -ENOENT) result = 0; /* it has gone meanwhile */
  }
  nl_socket_free(sock);
  return result == -ENOENT ? 0 : result;
}
