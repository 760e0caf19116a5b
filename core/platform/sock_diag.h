/* The TCP sockets of a namespace, by sock_diag(7): those that a program holds, and those that none
 * does (yet, or any more). */
#ifndef LUNET_PLATFORM_SOCK_DIAG_H
#define LUNET_PLATFORM_SOCK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"
#include "platform/tcp_info.h"

/* linux/inet_diag.h, idiag_timer */
enum sock_timer {
  SOCK_TIMER_NONE,
  SOCK_TIMER_RETRANSMIT,
  SOCK_TIMER_KEEPALIVE,
  SOCK_TIMER_TIME_WAIT,
  SOCK_TIMER_PROBE,
};

struct tcp_socket {
  address local, peer;    /* a listener's peer is empty */
  uint8_t state;          /* see tcp_state_name */
  uint8_t timer;          /* enum sock_timer */
  uint8_t retransmits;    /* or probes, when that is what the timer is for */
  uint32_t expires_ms;    /* of the timer */
  uint32_t receive_queue; /* bytes, a FIN counted as one; of a listener: connections queued */
  uint32_t send_queue;    /* bytes, SYN and FIN counted as one; of a listener: the queue's limit */
  uint32_t uid;
  bool is_mptcp;               /* of an MPTCP connection; see mptcp.h */
  uint32_t mptcp_token;        /* that connection's number; 0: none, or not shown */
  uint32_t mark;               /* SO_MARK, its own or its listener's; 0: none, or not shown */
  uint32_t inode;              /* 0: no descriptor refers to it */
  struct tcp_info_memory info; /* length 0: not asked for, or the kernel has none */
};

struct sock_diag_filter {
  uint32_t states;                 /* a bit for each state number */
  int family;                      /* AF_UNSPEC: both */
  address local, peer;             /* whatever their ports; empty: any */
  int local_port, peer_port, port; /* 0: any; port is either of the two */
  uint32_t mark;                   /* 0: any */
  int owned; /* 1: only those with a descriptor, 0: only those without, -1: all */
  bool wants_info;
};

/* Every state that the kernel lists. Not in it: TCP_CLOSE, since such a socket is in none of the
 * kernel's tables, and sockets that are only bound, for which it would search one more. */
enum { SOCK_DIAG_STATES = 0xf7e };

/* malloc'ed by sock_diag_read, freed by sock_diag_free. */
struct sock_diag_list {
  struct tcp_socket *sockets;
  size_t count, room;
};

/* The namespace's sockets, by port and address; ns: -1 for the home host's. 0 or a negative errno
 * (-ENOENT where the kernel has no tcp_diag). The list is to be freed in any case. */
int sock_diag_read(int ns, const struct sock_diag_filter *wanted, struct sock_diag_list *out);
void sock_diag_free(struct sock_diag_list *list);

#endif
