/* TCP addresses in short form, for a trace: it has many thousands. IPv6 addresses stand in a table,
 * each once. */
#ifndef LUNET_HANDLE_ENDS_H
#define LUNET_HANDLE_ENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/address.h"

/* Zeroed memory is an empty table. */
struct ends {
  void *tree;         /* tsearch(3) */
  struct end6 **list; /* by number */
  uint32_t count, room;
};

struct trace_end {
  uint32_t address; /* of IPv4, as in a packet; of IPv6, its number in the table */
  uint16_t port;    /* 0 when unknown */
  uint8_t family;   /* AF_INET or AF_INET6; 0: no TCP address */
};

enum { ENDS_MOST = 1 << 20 }; /* addresses of IPv6 */

void ends_put(struct ends *all, struct trace_end *e, const address *a);

/* Without the name of its zone. Returns false, and an address of length 0, if there is no TCP
 * address, or if the table had no room for it. */
bool ends_get(const struct ends *all, const struct trace_end *e, address *out);

void ends_free(struct ends *all);

#endif
