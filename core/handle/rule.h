/* A rule makes a host lose segments while it is open. It is a handle (scope.h). Its close fails if
 * the kernel refuses to end the rule. */
#ifndef LUNET_HANDLE_RULE_H
#define LUNET_HANDLE_RULE_H

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/scope.h"

typedef struct rule rule;

/* h: NULL for home. `content`: see firewall_add. `text` describes it. 0 or a negative errno. */
int rule_open(loop *lp, const struct place *p, host *h, const char *content, const char *text,
              rule **out);

/* The segments and bytes lost so far; also of a closed rule. 0 or a negative errno. */
int rule_lost(rule *r, uint64_t *segments, uint64_t *bytes);

/* Tries whether the kernel takes `content`, and removes it at once. 0 or a negative errno. */
int rule_try(host *h, const char *content);

#endif
