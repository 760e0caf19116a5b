#include "handle/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/trace.h"
#include "platform/link.h"
#include "platform/namespace.h"

enum { NAME = 32 };

struct rule {
  handle handle;
  loop *lp;
  struct trace_socket about;
  firewall *firewall; /* NULL: closed */
  bool is_owner;      /* owns the firewall: the home host has none to lend */
  char *text;
  char name[NAME];          /* in the firewall */
  uint64_t segments, bytes; /* lost until the rule closed */
};

static void rule_let_go(rule *r) {
  if (r->is_owner) firewall_close(r->firewall);
  r->firewall = NULL;
}

int rule_lost(rule *r, uint64_t *segments, uint64_t *bytes) {
  if (r->firewall != NULL) return firewall_count(r->firewall, r->name, segments, bytes);
  *segments = r->segments;
  *bytes = r->bytes;
  return 0;
}

static int rule_close(handle *h) {
  rule *r = (rule *)h;
  int stopped = firewall_stop(r->firewall, r->name); /* first, so that the last count is complete */
  rule_lost(r, &r->segments, &r->bytes);
  trace_record(loop_trace(r->lp), &r->about, EVENT_DROP_END, (int64_t)r->segments, 0);
  int removed = firewall_remove(r->firewall, r->name);
  rule_let_go(r);
  return stopped < 0 ? stopped : removed;
}

static void rule_free(handle *h) { free(((rule *)h)->text); }

static void rule_describe(const handle *h, char *text, size_t size) {
  snprintf(text, size, "%s", ((const rule *)h)->text);
}

static const struct handle_type rule_type = {"rule", rule_close, NULL, rule_free, rule_describe};

static int rule_divert(host *h) {
  struct nl_sock *routes;
  if (h != NULL) return link_divert_lost(host_routes(h));
  int result = link_open(namespace_own_home(), &routes);
  if (result < 0) return result;
  result = link_divert_lost(routes);
  link_close(routes);
  return result;
}

static int rule_open_parts(rule *r, host *h, const struct rule_words *words) {
  r->is_owner = h == NULL;
  int result = h == NULL ? firewall_open(-1, &r->firewall) : host_firewall(h, &r->firewall);
  if (result < 0) return result;
  if (words->diverts) result = rule_divert(h);
  if (result == 0) result = firewall_add(r->firewall, r->name, words->content);
  if (result < 0) rule_let_go(r);
  return result;
}

int rule_open(loop *lp, const struct place *p, host *h, const struct rule_words *words,
              rule **out) {
  rule *r = calloc(1, sizeof *r);
  if (r == NULL) return -ENOMEM;
  r->lp = lp;
  r->about = (struct trace_socket){.id = loop_next_socket(lp), .host = p->host, .label = p->label};
  r->text = strdup(words->text);
  /* No other open rule has this name, even in another Lua state or copy of the module. */
  snprintf(r->name, sizeof r->name, "lunet_%" PRIxPTR, (uintptr_t)r);
  int result = r->text == NULL ? -ENOMEM : rule_open_parts(r, h, words);
  if (result < 0) {
    free(r->text);
    free(r);
    return result;
  }
  handle_open(&r->handle, &rule_type, p);
  trace_append_text(loop_trace(lp), &r->about, EVENT_DROP, strdup(words->text));
  *out = r;
  return 0;
}

int rule_try(host *h, const char *content) {
  static const char name[] = "lunet_try";
  firewall *f;
  int result = host_firewall(h, &f);
  if (result == 0) result = firewall_add(f, name, content);
  return result < 0 ? result : firewall_remove(f, name);
}
