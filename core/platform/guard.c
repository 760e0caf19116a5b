#include "platform/guard.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A fact about the process, not about a Lua state: so static. */
static char found[PATH_MAX];

/* The file that this code is in: the program, or the module in a stock interpreter. */
static bool guard_own_file(char file[PATH_MAX]) {
  Dl_info unused;
  struct link_map *map;
  bool is_known = dladdr1(found, &unused, (void **)&map, RTLD_DL_LINKMAP) != 0;
  /* The program has no name there. */
  bool is_module = is_known && map->l_name[0] != '\0';
  return realpath(is_module ? map->l_name : "/proc/self/exe", file) != NULL;
}

static bool guard_is_at(const char *directory, const char *file) {
  int length = snprintf(found, sizeof found, "%s/%s", directory, file);
  return length < (int)sizeof found && access(found, X_OK) == 0;
}

const char *guard_path(void) {
  char place[PATH_MAX];
  if (found[0] != '\0') return found;
  if (!guard_own_file(place)) return NULL;
  for (char *end; (end = strrchr(place, '/')) != NULL;) {
    *end = '\0';
    if (guard_is_at(place, GUARD_FILE) || guard_is_at(place, GUARD_FILE_OF_ROCK)) return found;
  }
  found[0] = '\0';
  return NULL;
}
