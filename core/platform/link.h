/* Links between namespaces, and their addresses, by rtnetlink(7). A netlink socket keeps the
 * namespace that it was opened in, wherever the process goes. */
#ifndef LUNET_PLATFORM_LINK_H
#define LUNET_PLATFORM_LINK_H

#include <stdint.h>

#include "platform/address.h"

struct nl_sock;

/* Opens a socket to the namespace's routing tables. All functions return 0 or a negative errno,
 * unless they say otherwise. */
int link_open(int ns, struct nl_sock **out);
void link_close(struct nl_sock *sock);

/* Makes a veth pair: `name` in the namespace of `sock`, up, and `peer_name` in `peer_ns`, still
 * down. */
int link_create_pair(struct nl_sock *sock, const char *name, int peer_ns, const char *peer_name);
int link_set_up(struct nl_sock *sock, const char *name);

/* Takes the carrier away from the other end of a veth pair, where addresses stay. */
int link_set_down(struct nl_sock *sock, const char *name);

int link_hardware_address(struct nl_sock *sock, const char *name, uint8_t out[6]);

/* Makes a bridge, up: the switch of a LAN. */
int link_create_bridge(struct nl_sock *sock, const char *name);
int link_attach(struct nl_sock *sock, const char *name, const char *bridge);

/* From now on the link takes only packets of at most its MTU, with whole checksums: the kernel cuts
 * and sums before it hands them over (ethtool(8), -K tx off). */
int link_send_segments(struct nl_sock *sock, const char *name);

/* The longest packet that the link takes. */
int link_set_mtu(struct nl_sock *sock, const char *name, uint32_t bytes);

int link_delete(struct nl_sock *sock, const char *name);

/* Deleting the links of a group takes little longer than deleting one link. */
int link_set_group(struct nl_sock *sock, const char *name, uint32_t group);
int link_delete_group(struct nl_sock *sock, uint32_t group);

int link_index(struct nl_sock *sock, const char *name); /* 1 or more, or a negative errno */

/* Adds an address with its prefix length. Skips the detection of duplicates, which takes an IPv6
 * address a second: but see link_answers_for. */
int link_add_address(struct nl_sock *sock, int index, const address *a, int prefix);

enum {
  LINK_LOOPBACK = 1,      /* each namespace's first link */
  LINK_LOST = 0x6c6f7374, /* the firewall's mark of segments to lose: "lost", in ASCII */
};

/* Makes routes by which packets with that mark go to the loopback, whatever their address. Again it
 * does nothing. 0 or a negative errno. */
int link_divert_lost(struct nl_sock *sock);

/* Adds a route to the addresses that share `prefix` bits with `to`, by a gateway of the same family
 * that some link reaches. */
int link_add_route(struct nl_sock *sock, const address *to, int prefix, const address *gateway);

/* Whether the namespace answers for the address. For a new IPv6 address that takes a moment. 1, 0
 * or a negative errno. */
int link_answers_for(struct nl_sock *sock, const address *a);

/* Whether packets pass: operstate is UP. IFF_RUNNING is set too early: the link still drops the
 * first packets. 1, 0 or a negative errno. */
int link_is_up(struct nl_sock *sock, const char *name);

#endif
