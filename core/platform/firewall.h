/* Rules in a namespace's firewall, by libnftables. The first rule loads the library, since few
 * scripts need it. Each rule is a separate nf_tables table. */
#ifndef LUNET_PLATFORM_FIREWALL_H
#define LUNET_PLATFORM_FIREWALL_H

#include <stdint.h>

/* The firewall of one namespace. The process may be in any namespace when it calls. */
typedef struct nft firewall;

/* ns: -1 for the home host's. 0 or a negative errno: -ENOPKG without libnftables; -EPERM for the
 * home host on the machine's own stack, whose firewall lunet must not change. */
int firewall_open(int ns, firewall **out);
void firewall_close(firewall *f);

/* `content` is the inside of a table, in the language of nft(8). Its hooks jump to the chain
 * `judge`; the chain `lose` drops segments and has the only counter. */
int firewall_add(firewall *f, const char *name, const char *content);
int firewall_count(firewall *f, const char *name, uint64_t *segments, uint64_t *bytes);
int firewall_stop(firewall *f, const char *name); /* the rule drops no more; its count stays */
int firewall_remove(firewall *f, const char *name);

/* The words of the library about the last failure of these functions; "" if there are none. */
const char *firewall_complaint(void);

#endif
