/* A rule: what a host loses as long as it is open. It is a handle (scope.h), whose close fails if
 * the kernel refuses to end it. */
#ifndef LUNET_HANDLE_RULE_H
#define LUNET_HANDLE_RULE_H

#include <stdbool.h>

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/scope.h"

typedef struct rule rule;

/* h: NULL for home. For `content` see firewall_add; `text` describes it. */
int rule_open(loop *lp, const struct place *p, host *h, const char *content, const char *text,
              rule **out);

/* How much it has lost; also after it was closed. 0 or a negative errno. */
int rule_lost(rule *r, uint64_t *segments, uint64_t *bytes);

/* Whether the kernel takes `content`: it goes again at once. 0 or a negative errno. */
int rule_try(host *h, const char *content);

#endif
