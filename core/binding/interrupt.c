#include "binding/interrupt.h"

#include <lauxlib.h>
#include <signal.h>

#include "binding/runtime.h"
#include "binding/waits.h"

static lua_State *main_thread;
static runtime *the_runtime;
static volatile sig_atomic_t was_seen, is_pending;

static void raise_interrupt(lua_State *L, lua_Debug *unused) {
  (void)unused;
  lua_sethook(L, NULL, 0, 0);
  /* The main thread may have raised it already, if it was waiting. */
  if (!interrupt_take()) return;
  luaL_where(L, 1);
  lua_pushliteral(L, "interrupted!");
  if (the_runtime != NULL)
    waits_push(L, the_runtime);
  else
    lua_pushliteral(L, "");
  lua_concat(L, 3);
  lua_error(L);
}

static void on_signal(int number) {
  if (is_pending) { /* the first one is stuck behind a call that does not return: end it all */
    signal(number, SIG_DFL);
    raise(number);
  }
  was_seen = is_pending = 1;
  runtime *rt = the_runtime;
  if (rt != NULL) loop_wake(rt->lp);
  bool is_polling = rt != NULL && rt->is_driving && rt->current == &rt->main;
  if (is_polling) return; /* the drive loop takes it */
  lua_State *running = rt != NULL ? rt->current->L : main_thread;
  lua_sethook(running, raise_interrupt, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
              1);
}

static void set_action(void (*action)(int)) {
  struct sigaction on_interrupt = {.sa_handler = action, .sa_flags = SA_RESTART};
  sigemptyset(&on_interrupt.sa_mask);
  sigaction(SIGINT, &on_interrupt, NULL);
}

void interrupt_begin(lua_State *L) {
  main_thread = L;
  was_seen = is_pending = 0;
  set_action(on_signal);
}

void interrupt_end(void) {
  set_action(SIG_DFL);
  is_pending = 0;
}

int interrupt_seen(void) { return was_seen; }
void interrupt_set_runtime(runtime *rt) { the_runtime = rt; }
bool interrupt_pending(void) { return is_pending; }

bool interrupt_take(void) {
  bool taken = is_pending;
  is_pending = 0;
  return taken;
}
