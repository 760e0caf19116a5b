#include "binding/program.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "binding/connection.h"
#include "binding/field.h"
#include "binding/listener.h"
#include "binding/misuse.h"
#include "binding/type.h"

enum { GRACE_MOST = 60 }; /* s */

static const char *const program_fields[] = {"env",    "cwd",         "stdin", "stdout",
                                             "stderr", "label",       "grace", "limits",
                                             "fds",    "nonblocking", NULL};

static const struct stream_choice {
  const char *field;
  enum stream_kind otherwise;
  bool keeps;           /* takes "keep" too */
  bool merges;          /* takes "stdout" too */
  const char *expected; /* for the message */
} stream_choices[STREAMS] = {
  {"stdin", STREAM_NULL, false, false, "\"null\", \"pipe\" or \"inherit\""},
  {"stdout", STREAM_KEEP, true, false, "\"keep\", \"pipe\", \"null\" or \"inherit\""},
  {"stderr", STREAM_INHERIT, true, true, "\"inherit\", \"keep\", \"pipe\", \"null\" or \"stdout\""},
};

/* Pops the string or the number on top, which `keep` is to keep; returns its text. */
static char *program_keep_text(lua_State *L, int keep, const char *where) {
  if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
    misuse(L, "%s: a string or a number expected, not %s", where, luaL_typename(L, -1));
  const char *text = field_check_text(L, -1, where);
  lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
  return (char *)text; /* libuv takes what execve(2) takes, and changes nothing */
}

static char **program_new_array(lua_State *L, int keep, size_t most) {
  char **array = lua_newuserdatauv(L, (most + 1) * sizeof *array, 0);
  lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
  return array;
}

static char **program_read_words(lua_State *L, int index, int keep, lua_Integer count) {
  char where[32];
  char **words = program_new_array(L, keep, (size_t)count);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, index, i);
    snprintf(where, sizeof where, "[%lld]", (long long)i);
    words[i - 1] = program_keep_text(L, keep, where);
  }
  words[count] = NULL;
  return words;
}

/* -- streams ------------------------------------------------------------------------------- */

static enum stream_kind program_read_stream(lua_State *L, int index,
                                            const struct stream_choice *choice) {
  enum stream_kind kind = choice->otherwise;
  bool is_text = lua_getfield(L, index, choice->field) == LUA_TSTRING;
  const char *text = is_text ? lua_tostring(L, -1) : "";
  if (strcmp(text, "null") == 0)
    kind = STREAM_NULL;
  else if (strcmp(text, "pipe") == 0)
    kind = STREAM_PIPE;
  else if (strcmp(text, "inherit") == 0)
    kind = STREAM_INHERIT;
  else if (choice->keeps && strcmp(text, "keep") == 0)
    kind = STREAM_KEEP;
  else if (choice->merges && strcmp(text, "stdout") == 0)
    kind = STREAM_MERGE;
  else if (!lua_isnil(L, -1))
    misuse(L, "%s: %s expected, not %s", choice->field, choice->expected,
           is_text ? lua_pushfstring(L, "\"%s\"", text) : luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
  return kind;
}

static int program_read_grace_ms(lua_State *L, int index) {
  int type = lua_getfield(L, index, "grace");
  lua_Number seconds = lua_tonumber(L, -1); /* 0 if the field is missing */
  bool is_valid =
    type == LUA_TNIL || (type == LUA_TNUMBER && seconds >= 0 && seconds <= GRACE_MOST);
  if (!is_valid)
    misuse(L, "grace: a number of seconds from 0 to %d expected, not %s", GRACE_MOST,
           field_push_shown(L));
  lua_pop(L, 1);
  return (int)(seconds * 1000);
}

/* -- limits -------------------------------------------------------------------------------- */

/* As setrlimit(2) names them. */
static const char *const limit_names[RLIM_NLIMITS + 1] = {
  [RLIMIT_AS] = "as",           [RLIMIT_CORE] = "core",         [RLIMIT_CPU] = "cpu",
  [RLIMIT_DATA] = "data",       [RLIMIT_FSIZE] = "fsize",       [RLIMIT_LOCKS] = "locks",
  [RLIMIT_MEMLOCK] = "memlock", [RLIMIT_MSGQUEUE] = "msgqueue", [RLIMIT_NICE] = "nice",
  [RLIMIT_NOFILE] = "nofile",   [RLIMIT_NPROC] = "nproc",       [RLIMIT_RSS] = "rss",
  [RLIMIT_RTPRIO] = "rtprio",   [RLIMIT_RTTIME] = "rttime",     [RLIMIT_SIGPENDING] = "sigpending",
  [RLIMIT_STACK] = "stack",
};

/* Pops the value of a limit. */
static lua_Integer program_take_limit(lua_State *L, const char *name) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  bool is_number = lua_type(L, -1) == LUA_TNUMBER;
  bool is_unlimited = is_number && lua_tonumber(L, -1) == HUGE_VAL;
  if (!is_unlimited && (!is_number || !is_integer || value < 0))
    misuse(L, "limits.%s: a whole number from 0 on, or math.huge, expected, not %s", name,
           field_push_shown(L));
  lua_pop(L, 1);
  return is_unlimited ? (lua_Integer)RLIM_INFINITY : value;
}

static const char *program_read_limits(lua_State *L, int index, int keep) {
  int type = lua_getfield(L, index, "limits");
  if (type != LUA_TTABLE && type != LUA_TNIL)
    misuse(L, "limits: a table like { nofile = 64 } expected, not %s", luaL_typename(L, -1));
  int limits = lua_gettop(L);
  lua_pushliteral(L, "");
  if (type == LUA_TTABLE) {
    field_copy_table(L, limits);
    field_check_names(L, limits, "limit", limit_names, 0);
  }
  for (int resource = 0; type == LUA_TTABLE && resource < RLIM_NLIMITS; resource++) {
    if (lua_getfield(L, limits, limit_names[resource]) == LUA_TNIL) {
      lua_pop(L, 1);
      continue;
    }
    lua_Integer value = program_take_limit(L, limit_names[resource]);
    lua_pushfstring(L, "%d=%I ", resource, value);
    lua_concat(L, 2);
  }
  const char *text = program_keep_text(L, keep, "limits");
  lua_pop(L, 1);
  return text;
}

/* -- descriptors --------------------------------------------------------------------------- */

enum { FIRST_FD = 3 }; /* sd_listen_fds(3), SD_LISTEN_FDS_START */

static bool program_is_socket(lua_State *L, int index) {
  return type_test(L, index, LISTENER_TYPE) != NULL || type_test(L, index, CONNECTION_TYPE) != NULL;
}

/* Pushes the key on top of the stack as a message shows it, and raises. */
static void program_refuse_descriptor(lua_State *L, int key, int value) {
  const char *number = luaL_tolstring(L, key, NULL);
  if (lua_isinteger(L, key) && !program_is_socket(L, value))
    misuse(L, "fds[%s]: a listener or a connection expected, not %s", number,
           luaL_typename(L, value));
  misuse(L, "fds: the numbers 3, 4, ... without a gap, %d at most, expected; there is %s",
         PROGRAM_FDS, number);
}

/* Replaces the field by a copy that nothing else refers to. */
static int program_check_descriptors(lua_State *L, int index) {
  int type = lua_getfield(L, index, "fds");
  int count = 0;
  if (type != LUA_TNIL && type != LUA_TTABLE)
    misuse(L, "fds: a table like { [3] = listener } expected, not %s", luaL_typename(L, -1));
  if (type == LUA_TTABLE) {
    field_copy_table(L, -1);
    while (lua_rawgeti(L, -1, FIRST_FD + count) != LUA_TNIL && count < PROGRAM_FDS) {
      lua_pop(L, 1);
      count++;
    }
    lua_pop(L, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
      lua_Integer number = lua_tointeger(L, -2);
      bool is_known = lua_isinteger(L, -2) && number >= FIRST_FD && number < FIRST_FD + count;
      if (!is_known || !program_is_socket(L, -1))
        program_refuse_descriptor(L, lua_absindex(L, -2), lua_absindex(L, -1));
    }
  }
  lua_setfield(L, index, "fds");
  return count;
}

static bool program_read_nonblocking(lua_State *L, int index, int fd_count) {
  int type = lua_getfield(L, index, "nonblocking");
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    misuse(L, "nonblocking: true or false expected, not %s", field_push_shown(L));
  if (type != LUA_TNIL && fd_count == 0) misuse(L, "nonblocking: there are no fds");
  bool is_set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is_set;
}

/* Pops the listener or connection on top of the stack. */
static int program_take_descriptor(lua_State *L, int number, bool blocks) {
  listener **l = type_test(L, -1, LISTENER_TYPE);
  connection **c = type_test(L, -1, CONNECTION_TYPE);
  void *h = l != NULL ? (void *)*l : (void *)*c;
  if (!handle_is_open(h))
    misuse(L, "fds[%d]: the %s is closed", number, l != NULL ? "listener" : "connection");
  lua_pop(L, 1);
  return l != NULL ? listener_share(h, blocks) : connection_share(h, blocks);
}

int program_take_descriptors(lua_State *L, int index, struct program *out) {
  int result = 0;
  lua_getfield(L, index, "fds");
  for (int i = 0; i < out->fd_count && result >= 0; i++) {
    lua_rawgeti(L, -1, FIRST_FD + i);
    result = out->fds[i] = program_take_descriptor(L, FIRST_FD + i, !out->is_nonblocking);
  }
  lua_pop(L, 1);
  return result < 0 ? result : 0;
}

/* -- the environment ----------------------------------------------------------------------- */

/* The `env` table is at `index`. */
static void program_check_environment(lua_State *L, int index) {
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (name[0] == '\0' || strchr(name, '=') != NULL || strlen(name) != lua_rawlen(L, -2))
      misuse(L, "env: a variable's name expected, not %s", luaL_tolstring(L, -2, NULL));
    bool is_removed = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    if (!is_removed && lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
      misuse(L, "env.%s: a string, a number or false expected, not %s", name, luaL_typename(L, -1));
  }
}

static size_t program_inherit_environment(lua_State *L, int index, char **out) {
  size_t count = 0;
  for (char **entry = environ; *entry != NULL; entry++) {
    lua_pushlstring(L, *entry, strcspn(*entry, "="));
    if (lua_rawget(L, index) == LUA_TNIL) out[count++] = *entry;
    lua_pop(L, 1);
  }
  return count;
}

static size_t program_add_environment(lua_State *L, int index, int keep, char **out) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_isboolean(L, -1)) continue; /* removed */
    lua_pushvalue(L, -2);
    lua_pushliteral(L, "=");
    lua_pushvalue(L, -3);
    lua_concat(L, 3);
    out[count++] = program_keep_text(L, keep, "env");
  }
  return count;
}

static size_t program_count_pairs(lua_State *L, int index) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
  return count;
}

static char **program_read_environment(lua_State *L, int index, int keep) {
  size_t count = 0;
  int type = lua_getfield(L, index, "env");
  if (type == LUA_TNIL) {
    lua_newtable(L);
    lua_replace(L, -2);
  } else if (type != LUA_TTABLE) {
    misuse(L, "env: a table expected, not %s", luaL_typename(L, -1));
  } else {
    field_copy_table(L, -1);
  }
  int env = lua_gettop(L);
  program_check_environment(L, env);
  while (environ[count] != NULL) count++;
  char **out = program_new_array(L, keep, count + program_count_pairs(L, env));
  count = program_inherit_environment(L, env, out);
  count += program_add_environment(L, env, keep, out + count);
  out[count] = NULL;
  lua_pop(L, 1);
  return out;
}

int program_set_environment(lua_State *L) {
  const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
  int result = value != NULL ? setenv(name, value, 1) : unsetenv(name);
  luaL_argcheck(L, result == 0, 1, "the name of a variable expected");
  return 0;
}

/* ------------------------------------------------------------------------------------------ */

void program_read(lua_State *L, int index, struct program *out) {
  lua_Integer words = (lua_Integer)lua_rawlen(L, index);
  field_check_names(L, index, "option", program_fields, words);
  if (words == 0) {
    misuse(L, "no program given, like { \"redis-server\", \"--port\", \"7000\" }");
    return;
  }
  lua_newtable(L);
  int keep = lua_gettop(L);
  out->words = program_read_words(L, index, keep, words);
  out->environment = program_read_environment(L, index, keep);
  out->limits = program_read_limits(L, index, keep);
  out->fd_count = program_check_descriptors(L, index);
  out->is_nonblocking = program_read_nonblocking(L, index, out->fd_count);
  out->directory = field_get_string(L, index, "cwd", "");
  out->grace_ms = program_read_grace_ms(L, index);
  const char *file = strrchr(out->words[0], '/');
  out->name =
    field_get_string(L, index, "label", file == NULL || file[1] == '\0' ? out->words[0] : file + 1);
  for (int i = 0; i < STREAMS; i++)
    out->streams[i] = program_read_stream(L, index, &stream_choices[i]);
}
