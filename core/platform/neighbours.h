/* The kernel's tables of neighbours, one for ARP and one for IPv6 (arp(7)). All network namespaces
 * of the machine share them. */
#ifndef LUNET_PLATFORM_NEIGHBOURS_H
#define LUNET_PLATFORM_NEIGHBOURS_H

#include <stdint.h>

/* How many entries the full tables have refused since the kernel booted. 0 or a negative errno. */
int neighbours_refused(uint64_t *out);

#endif
