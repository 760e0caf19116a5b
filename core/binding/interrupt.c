#include "binding/interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "binding/task.h"
#include "platform/leftovers.h"

/* The script and then the remover have this long to end: together less than 2 s. */
enum { GRACE_MS = 1400, REMOVER_MS = 500, STATUS_OF_SIGNAL = 128 };

/* Static, since a signal handler has no arguments. */
static struct {
  lua_State *main_thread;
  runtime *runtime;                 /* NULL: there is none */
  volatile sig_atomic_t is_running; /* Lua code runs, and can be interrupted */
  volatile sig_atomic_t seen;       /* the last signal, or 0 */
  volatile sig_atomic_t pending;    /* the same, until it is raised */
  volatile sig_atomic_t ending;     /* the signal that ends the program, or 0 */
  volatile sig_atomic_t continued;  /* how often SIGCONT came */
} interrupts;

const char *interrupt_text(void) {
  switch (interrupts.seen) {
  case SIGTERM: return "interrupted by SIGTERM!";
  case SIGHUP: return "interrupted by SIGHUP!";
  case SIGPIPE: return "interrupted by SIGPIPE!";
  default: return "interrupted!";
  }
}

static void interrupt_raise(lua_State *L, lua_Debug *unused) {
  (void)unused;
  lua_sethook(L, NULL, 0, 0);
  /* The main thread, if it was waiting, may have raised the error already. */
  if (!interrupt_take()) return;
  luaL_where(L, 1);
  lua_pushstring(L, interrupt_text());
  if (interrupts.runtime != NULL)
    waits_push(L, interrupts.runtime);
  else
    lua_pushliteral(L, "");
  lua_concat(L, 3);
  lua_error(L);
}

static _Noreturn void interrupt_end_now(int number) {
  leftovers_finish(REMOVER_MS);
  _exit(STATUS_OF_SIGNAL + number);
}

static void interrupt_on_alarm(int unused) {
  (void)unused;
  interrupt_end_now(interrupts.ending);
}

static void interrupt_set_action(int number, void (*action)(int)) {
  struct sigaction on = {.sa_handler = action, .sa_flags = SA_RESTART};
  sigfillset(&on.sa_mask);
  sigaction(number, &on, NULL);
}

/* Bounds the time to end: a script may catch every error, and a C function may never return. */
static void interrupt_limit_time(int number) {
  if (interrupts.ending != 0) return;
  interrupts.ending = number;
  interrupt_set_action(SIGALRM, interrupt_on_alarm);
  static const struct itimerval grace = {
    .it_value = {.tv_sec = GRACE_MS / 1000, .tv_usec = GRACE_MS % 1000 * 1000}};
  setitimer(ITIMER_REAL, &grace, NULL);
}

static void interrupt_on_signal(int number) {
  /* No Lua code runs, because the prompt waits for a line or the state is closing. Or the signal
   * before this one still waits for a call to return. */
  if (!interrupts.is_running || interrupts.pending != 0)
    interrupt_end_now(interrupts.ending != 0 ? interrupts.ending : number);
  interrupts.seen = interrupts.pending = number;
  if (number != SIGINT) interrupt_limit_time(number);
  runtime *rt = interrupts.runtime;
  if (rt != NULL) loop_wake(runtime_loop(rt));
  lua_State *running = rt != NULL ? runtime_running(rt) : interrupts.main_thread;
  if (running == NULL) return; /* the main thread waits, and raises the error itself */
  lua_sethook(running, interrupt_raise, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
              1);
}

static void interrupt_on_continue(int unused) {
  (void)unused;
  interrupts.continued = interrupts.continued + 1;
}

static void interrupt_install_unless_ignored(int number) {
  struct sigaction former;
  if (sigaction(number, NULL, &former) == 0 && former.sa_handler == SIG_IGN) return;
  interrupt_set_action(number, interrupt_on_signal);
}

/* The call that raised it fails: setrlimit(2), RLIMIT_FSIZE. A program that lunet starts has the
 * default action again. */
static void interrupt_on_full_file(int unused) { (void)unused; }

void interrupt_install(void) {
  interrupt_set_action(SIGINT, interrupt_on_signal);
  interrupt_set_action(SIGTERM, interrupt_on_signal);
  interrupt_install_unless_ignored(SIGHUP);
  interrupt_install_unless_ignored(SIGPIPE);
  interrupt_set_action(SIGCONT, interrupt_on_continue);
  interrupt_set_action(SIGXFSZ, interrupt_on_full_file);
}

void interrupt_begin(lua_State *L) {
  interrupts.main_thread = L;
  interrupts.seen = interrupts.pending = 0;
  interrupts.is_running = 1;
}

void interrupt_end(void) { interrupts.is_running = interrupts.pending = 0; }

int interrupt_seen(void) { return interrupts.seen; }
int interrupt_ending(void) { return interrupts.ending; }

int interrupt_times_continued(lua_State *L) {
  lua_pushinteger(L, interrupts.continued);
  return 1;
}

void interrupt_set_runtime(runtime *rt) { interrupts.runtime = rt; }
bool interrupt_pending(void) { return interrupts.pending != 0; }

bool interrupt_take(void) {
  bool taken = interrupts.pending != 0;
  interrupts.pending = 0;
  return taken;
}
