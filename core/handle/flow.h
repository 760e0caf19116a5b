/* The flows of a wire's lane: where each one stands, as its last segments say. The table is small,
 * and a new flow may take the place of an old one. */
#ifndef LUNET_HANDLE_FLOW_H
#define LUNET_HANDLE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/segment.h"

typedef struct flows flows;

int flows_open(flows **out); /* 0 or -ENOMEM */
void flows_close(flows *f);  /* NULL: nothing */

void flows_follow(flows *f, const struct segment *s);

/* The sequence number behind the last byte that went this way. Only the ends of `s` count. False:
 * none passed, or others came since. */
bool flows_next(const flows *f, const struct segment *s, uint32_t *next);

#endif
