/* A rule makes a host lose segments while it is open. It is a handle (scope.h). Its close fails if
 * the kernel refuses to end the rule. */
#ifndef LUNET_HANDLE_RULE_H
#define LUNET_HANDLE_RULE_H

#include <stdbool.h>

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/scope.h"

typedef struct rule rule;

struct rule_words {
  const char *content; /* see firewall_add */
  const char *text;    /* describes it */
  bool diverts;        /* the host's routes send what it marks to the loopback: link_divert_lost */
};

/* h: NULL for home. 0 or a negative errno. */
int rule_open(loop *lp, const struct place *p, host *h, const struct rule_words *words, rule **out);

/* The segments and bytes lost so far; also of a closed rule. 0 or a negative errno. */
int rule_lost(rule *r, uint64_t *segments, uint64_t *bytes);

/* Tries whether the kernel takes `content`, and removes it at once. 0 or a negative errno. */
int rule_try(host *h, const char *content);

#endif
