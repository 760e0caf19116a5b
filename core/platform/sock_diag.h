/* Lists the TCP sockets of a namespace by sock_diag(7), also those that no program holds yet, or
 * holds any more. */
#ifndef LUNET_PLATFORM_SOCK_DIAG_H
#define LUNET_PLATFORM_SOCK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/tcp_socket.h"

struct sock_diag_filter {
  uint32_t states;                 /* a bit for each state number */
  int family;                      /* AF_UNSPEC: both */
  address local, peer;             /* whatever their ports; empty: any */
  int local_port, peer_port, port; /* 0: any; port is either of the two */
  uint32_t mark;                   /* 0: any */
  int owned; /* 1: only those with a descriptor, 0: only those without, -1: all */
  bool wants_info;
};

/* Every state that the kernel lists. TCP_CLOSE is not among them: such a socket is in none of the
 * kernel's tables. Nor are sockets that are only bound: the kernel would search one more table. */
enum { SOCK_DIAG_STATES = 0xf7e };

/* Gets one socket, which lives until it returns. 0, or a negative errno that ends the walk. */
typedef int sock_diag_visitor(void *context, const struct tcp_socket *s);

/* Visits the namespace's sockets in the kernel's order, without the names of zones. ns: -1 for the
 * home host's. Returns 0 or a negative errno (-ENOENT where the kernel has no tcp_diag). */
int sock_diag_walk(int ns, const struct sock_diag_filter *wanted, sock_diag_visitor *visit,
                   void *context);

/* malloc'ed by sock_diag_read, freed by sock_diag_free. */
struct sock_diag_list {
  struct tcp_socket *sockets;
  size_t count, room;
};

/* Lists the namespace's sockets, by port and address. Returns as sock_diag_walk. Free the list in
 * any case. */
int sock_diag_read(int ns, const struct sock_diag_filter *wanted, struct sock_diag_list *out);
void sock_diag_free(struct sock_diag_list *list);

#endif
