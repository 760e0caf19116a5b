/* A TCP socket, as the kernel lists it: see sock_diag.h and mptcp.h. */
#ifndef LUNET_PLATFORM_TCP_SOCKET_H
#define LUNET_PLATFORM_TCP_SOCKET_H

#include <stdbool.h>
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

#endif
