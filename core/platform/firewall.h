/* Rules in a namespace's firewall, by libnftables: opened when the first is added, since few
 * scripts need it. Each rule is an nf_tables table of its own. */
#ifndef LUNET_PLATFORM_FIREWALL_H
#define LUNET_PLATFORM_FIREWALL_H

#include <stdint.h>

/* To one namespace's firewall; like every netlink socket it goes on speaking to it from anywhere.
 */
typedef struct firewall firewall;

/* ns: -1 for the home host's. 0 or a negative errno: -ENOPKG without libnftables; -EPERM for the
 * home host while that is the machine itself, whose firewall is not lunet's to change. */
int firewall_open(int ns, firewall **out);
void firewall_close(firewall *f);

/* The rule's content is the inside of a table, as nft(8) reads it. Its chains of the hooks jump to
 * the chain `judge`, and segments are lost in the chain `lose`, which has the one counter. */
int firewall_add(firewall *f, const char *name, const char *content);
int firewall_count(firewall *f, const char *name, uint64_t *segments, uint64_t *bytes);
int firewall_stop(firewall *f, const char *name); /* loses no more; still counted */
int firewall_remove(firewall *f, const char *name);

/* What the library said about the last failure of any of these; "" if nothing. */
const char *firewall_complaint(void);

#endif
