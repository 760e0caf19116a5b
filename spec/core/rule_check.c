/* Rules as nft(8) sees them: each is there while it is open, and nothing of it stays. */
#include "handle/rule.h"

#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "check.h"
#include "handle/loop.h"
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
  assert_true(symbol != NULL);
  return symbol;
}

static void open_nft(void) {
  library = dlopen("libnftables.so.1", RTLD_NOW);
  assert_true(library != NULL);
  struct nft_ctx *(*ctx_new)(uint32_t);
  int (*buffer_output)(struct nft_ctx *);
  *(void **)&ctx_new = function("nft_ctx_new");
  *(void **)&buffer_output = function("nft_ctx_buffer_output");
  assert_true(namespace_enter(host_namespace(h)) == 0);
  nft = ctx_new(NFT_CTX_DEFAULT);
  namespace_leave();
  assert_true(nft != NULL && buffer_output(nft) == 0);
}

static int count_tables(void) {
  int (*run)(struct nft_ctx *, const char *), count = 0;
  const char *(*output)(struct nft_ctx *);
  *(void **)&run = function("nft_run_cmd_from_buffer");
  *(void **)&output = function("nft_ctx_get_output_buffer");
  assert_true(run(nft, "list tables") == 0);
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
  struct rule_words words = {content, "text", .diverts = true};
  struct place p = {.scope = outermost, .host = host_number(h)};
  assert_true(rule_open(lp, &p, h, &words, &r) == 0);
  return r;
}

TEST(leave_nothing) {
  rule *rules[RULES];
  for (int i = 0; i < RULES; i++) rules[i] = open_rule();
  assert_true(count_tables() == RULES);
  for (int i = 0; i < RULES; i++) assert_true(handle_close(rules[i]) == 0);
  assert_true(count_tables() == 0);
  for (int i = 0; i < RULES; i++) handle_free(rules[i]);
}

TEST(leave_nothing_if_refused) {
  rule *r;
  struct rule_words words = {"chain x {\nno such thing\n}\n", "text", .diverts = false};
  struct place p = {.scope = outermost, .host = host_number(h)};
  assert_true(rule_open(lp, &p, h, &words, &r) < 0);
  assert_true(strstr(firewall_complaint(), "syntax error") != NULL);
  assert_true(count_tables() == 0);
}

/* As when a program on the host has flushed its firewall. */
TEST(tell_what_went_wrong) {
  firewall *f;
  uint64_t segments, bytes;
  assert_true(host_firewall(h, &f) == 0);
  assert_true(firewall_count(f, "lunet_none", &segments, &bytes) == -ENOENT);
  assert_true(firewall_remove(f, "lunet_none") == -ENOENT);
}

TEST(end_with_the_host) {
  rule *r = open_rule();
  assert_true(count_tables() == 1);
  handle_close(h);
  assert_true(!handle_is_open(r) && count_tables() == 0);
  assert_true(handle_close(r) == 0);
  handle_free(r);
}

static int open_host(void **state) {
  (void)state;
  if (loop_open(&lp) != 0) return -1;
  outermost = loop_scope(lp);
  if (host_open(lp, outermost, "host", &h) != 0) return -1;
  open_nft();
  return 0;
}

static int close_host(void **state) {
  (void)state;
  handle_free(h);
  close_nft();
  loop_close(lp);
  return 0;
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(leave_nothing),
    cmocka_unit_test(leave_nothing_if_refused),
    cmocka_unit_test(tell_what_went_wrong),
    cmocka_unit_test(end_with_the_host),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, open_host, close_host);
}
