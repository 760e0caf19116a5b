/* A survey counts what waits in the TCP queues of a namespace, without a list of its sockets. */
#ifndef LUNET_PLATFORM_SURVEY_H
#define LUNET_PLATFORM_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

/* Listeners whose connections nobody can tell apart by their addresses: at one port, and one of
 * them at any address or all at the same one. Their connections are counted together. */
struct survey_queue {
  size_t first, count; /* its listeners */
  uint32_t listed;     /* connections that nobody has accepted, as far as the kernel lists them */
  uint32_t left;       /* those whose FIN has come */
  uint32_t hidden;     /* those whose FIN only a privileged process sees (MPTCP) */
  uint32_t half_open;  /* handshakes */
  uint64_t bytes;      /* in all receive buffers, without the FINs */
  uint32_t oldest_ms;  /* since the last bytes, or else the handshake, of the longest silent one */
  uint64_t digest;     /* of the cookies of those listed: another set has another one */
};

struct survey_listener {
  address local;
  uint32_t inode, uid;
  uint32_t depth, later; /* before and after the connections were counted */
  uint32_t limit;
  int64_t drops; /* -1: the kernel does not tell */
  bool is_mptcp;
  bool is_there_later;
};

/* Connections of this namespace to one address that wait for a handshake, or for an answer: they
 * have sent bytes after the last ones that they received. */
struct survey_client {
  address peer;
  uint32_t inode; /* of the connection that has waited longest */
  uint32_t connecting, waiting;
  uint32_t queued;    /* of `waiting`: in a queue of this namespace */
  uint64_t bytes;     /* sent by those that never received any, and unacknowledged ones of others */
  uint32_t oldest_ms; /* since the last bytes that it sent */
};

/* The caller frees the three lists. */
struct survey {
  struct survey_queue *queues;
  struct survey_listener *listeners;
  struct survey_client *clients;
  size_t queue_count, listener_count, client_count;
};

/* ns: -1 for the home host's. 0 or a negative errno. Free the lists in any case. */
int survey_take(int ns, struct survey *out);

#endif
