/* Links between namespaces, and their addresses, by rtnetlink(7). A netlink socket that was opened
 * in a namespace goes on speaking to it from anywhere. */
#ifndef LUNET_PLATFORM_LINK_H
#define LUNET_PLATFORM_LINK_H

#include <stdint.h>

#include "platform/address.h"

struct nl_sock;

/* A socket to the namespace's routing tables. 0 or a negative errno. */
int link_open(int ns, struct nl_sock **out);
void link_close(struct nl_sock *sock);

/* Makes a veth pair: `name`, up, in the namespace of `sock`, `peer_name`, down yet, in `peer_ns`.
 */
int link_create_pair(struct nl_sock *sock, const char *name, int peer_ns, const char *peer_name);
int link_set_up(struct nl_sock *sock, const char *name);

/* Makes a bridge, up: the switch of a LAN. */
int link_create_bridge(struct nl_sock *sock, const char *name);
int link_attach(struct nl_sock *sock, const char *name, const char *bridge);

int link_delete(struct nl_sock *sock, const char *name);

/* Links of one group are deleted together, in little more than the time of one. */
int link_set_group(struct nl_sock *sock, const char *name, uint32_t group);
int link_delete_group(struct nl_sock *sock, uint32_t group);

int link_index(struct nl_sock *sock, const char *name); /* or a negative errno */

/* Adds an address with its prefix length; no duplicate address detection, so that an IPv6 one needs
 * no second: see link_answers_for. */
int link_add_address(struct nl_sock *sock, int index, const address *a, int prefix);

/* Whether the namespace answers for the address: an IPv6 one may not yet, when it has been added.
 * 1, 0 or a negative errno. */
int link_answers_for(struct nl_sock *sock, const address *a);

/* Whether packets pass: operstate UP. IFF_RUNNING says so too early, and the first packets are then
 * dropped. 1, 0 or a negative errno. */
int link_is_up(struct nl_sock *sock, const char *name);

#endif
