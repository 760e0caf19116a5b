/* A TCP socket as the kernel lists it: see sock_diag.h and mptcp.h. */
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
  uint8_t retransmits;    /* or probes, if the timer is for probes */
  uint32_t expires_ms;    /* until the timer fires */
  uint32_t receive_queue; /* bytes, a FIN is one; for a listener: queued connections */
  uint32_t send_queue;    /* bytes, SYN and FIN are one each; for a listener: the queue's limit */
  uint32_t uid;
  bool is_mptcp;               /* belongs to an MPTCP connection: see mptcp.h */
  uint32_t mptcp_token;        /* the MPTCP connection's number; 0: none, or hidden */
  uint32_t mark;               /* SO_MARK, its own or its listener's; 0: none, or hidden */
  uint64_t cookie;             /* the kernel's number of the socket: no two have the same */
  uint32_t inode;              /* 0: no descriptor refers to it */
  int64_t drops;               /* of a listener: see socket_drops; -1: the kernel does not tell */
  struct tcp_info_memory info; /* length 0: nobody asked, or the kernel has none */
};

#endif
