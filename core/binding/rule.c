#include "binding/rule.h"

#include <errno.h>
#include <lauxlib.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/host.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/rule.h"
#include "platform/firewall.h"

static const char RULE_TYPE[] = "lunet.rule";

/* Returns what failed, with the firewall's own complaint or with advice. */
static const char *rule_explain(lua_State *L, int result, bool is_home) {
  if (firewall_complaint()[0] != '\0') return lua_pushfstring(L, "drop: %s", firewall_complaint());
  if (result == -EPERM && is_home)
    return "drop: the home host is the machine itself, whose firewall lunet leaves alone (make "
           "another host with lunet.host)";
  if (result == -EOPNOTSUPP)
    return "drop: routes by a mark, which Linux has with CONFIG_IP_MULTIPLE_TABLES and "
           "CONFIG_IPV6_MULTIPLE_TABLES";
  return "drop";
}

/* libuv has no message for ENOPKG. */
static int rule_push_missing(lua_State *L) {
  lua_pushnil(L);
  lua_pushfstring(L, "drop: the Debian package libnftables1 is needed: %s (ENOPKG)",
                  firewall_complaint());
  lua_pushliteral(L, "ENOPKG");
  return 3;
}

int rule_drop(lua_State *L) {
  struct rule_words words = {.content = luaL_checkstring(L, 2),
                             .text = luaL_checkstring(L, 3),
                             .diverts = lua_toboolean(L, 4)};
  rule **box = type_new_box(L, RULE_TYPE, 0);
  host *h = host_or_home(L, 1);
  struct place p = host_place(L, h, NULL);
  int result = rule_open(task_loop(L), &p, h, &words, box);
  if (result == -ENOPKG) return rule_push_missing(L);
  if (result < 0) return failure_push(L, result, rule_explain(L, result, h == NULL));
  anchor_add(L, -1, *box);
  return 1;
}

int rule_takes(lua_State *L) {
  const char *content = luaL_checkstring(L, 2);
  return failure_push_result(L, rule_try(host_check(L, 1), content), "rules");
}

static int rule_push_lost(lua_State *L) {
  rule *r = box_check(L, 1, RULE_TYPE);
  uint64_t segments = 0, bytes = 0;
  int result = r == NULL ? 0 : rule_lost(r, &segments, &bytes);
  if (result < 0) return failure_push(L, result, "lost");
  lua_pushinteger(L, (lua_Integer)segments);
  lua_pushinteger(L, (lua_Integer)bytes);
  return 2;
}

static const luaL_Reg methods[] = {{"lost", rule_push_lost}, {NULL, NULL}};

void rule_open_type(lua_State *L) { box_open_type(L, RULE_TYPE, methods, NULL); }
