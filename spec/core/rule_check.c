/* Rules as nft(8) sees them: each is there while it is open, and nothing of it stays. */
#include "handle/rule.h"

#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "check.h"
#include "platform/firewall.h"
#include "platform/namespace.h"

enum { RULES = 100 };

static const char content[] = "chain lose {\ncounter drop\n}\n"
                              "chain judge {\nmeta l4proto tcp goto lose\n}\n"
                              "chain input {\ntype filter hook input priority 0\njump judge\n}\n";

static void *library;
static struct nft_ctx *nft; /* to the firewall of the host */
static loop *lp;
static scope *outermost;
static host *h;

static void *function(const char *name) {
  void *symbol = dlsym(library, name);
  CHECK(symbol != NULL);
  return symbol;
}

static void open_nft(void) {
  library = dlopen("libnftables.so.1", RTLD_NOW);
  CHECK(library != NULL);
  struct nft_ctx *(*ctx_new)(uint32_t);
  int (*buffer_output)(struct nft_ctx *);
  *(void **)&ctx_new = function("nft_ctx_new");
  *(void **)&buffer_output = function("nft_ctx_buffer_output");
  CHECK(namespace_enter(host_namespace(h)) == 0);
  nft = ctx_new(NFT_CTX_DEFAULT);
  namespace_leave();
  CHECK(nft != NULL && buffer_output(nft) == 0);
}

static int count_tables(void) {
  int (*run)(struct nft_ctx *, const char *), count = 0;
  const char *(*output)(struct nft_ctx *);
  *(void **)&run = function("nft_run_cmd_from_buffer");
  *(void **)&output = function("nft_ctx_get_output_buffer");
  CHECK(run(nft, "list tables") == 0);
  for (const char *text = output(nft); (text = strstr(text, "table ")) != NULL; text++) count++;
  return count;
}

static void close_nft(void) {
  void (*ctx_free)(struct nft_ctx *);
  *(void **)&ctx_free = function("nft_ctx_free");
  ctx_free(nft);
}

static rule *open_rule(void) {
  rule *r;
  struct place p = {.scope = outermost, .host = host_number(h)};
  CHECK(rule_open(lp, &p, h, content, "text", &r) == 0);
  return r;
}

static void leave_nothing(void) {
  rule *rules[RULES];
  for (int i = 0; i < RULES; i++) rules[i] = open_rule();
  CHECK(count_tables() == RULES);
  for (int i = 0; i < RULES; i++) CHECK(handle_close(rules[i]) == 0);
  CHECK(count_tables() == 0);
  for (int i = 0; i < RULES; i++) handle_free(rules[i]);
}

static void leave_nothing_if_refused(void) {
  rule *r;
  struct place p = {.scope = outermost, .host = host_number(h)};
  CHECK(rule_open(lp, &p, h, "chain x {\nno such thing\n}\n", "text", &r) < 0);
  CHECK(strstr(firewall_complaint(), "syntax error") != NULL);
  CHECK(count_tables() == 0);
}

/* As when a program on the host has flushed its firewall. */
static void tell_what_went_wrong(void) {
  firewall *f;
  uint64_t segments, bytes;
  CHECK(host_firewall(h, &f) == 0);
  CHECK(firewall_count(f, "lunet_none", &segments, &bytes) == -ENOENT);
  CHECK(firewall_remove(f, "lunet_none") == -ENOENT);
}

static void end_with_the_host(void) {
  rule *r = open_rule();
  CHECK(count_tables() == 1);
  handle_close(h);
  CHECK(!handle_is_open(r) && count_tables() == 0);
  CHECK(handle_close(r) == 0);
  handle_free(r);
}

int main(void) {
  CHECK(loop_open(&lp) == 0);
  outermost = loop_scope(lp);
  CHECK(host_open(lp, outermost, "host", &h) == 0);
  open_nft();
  leave_nothing();
  leave_nothing_if_refused();
  tell_what_went_wrong();
  end_with_the_host();
  handle_free(h);
  close_nft();
  loop_close(lp);
  return 0;
}
