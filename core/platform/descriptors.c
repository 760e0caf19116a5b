#include "platform/descriptors.h"

#include <stdbool.h>

/* A fact about the process, not about a Lua state: so static. */
static rlim_t inherited;
static bool is_raised;

void descriptors_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
  inherited = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  is_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

rlim_t descriptors_inherited(void) {
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  if (is_raised) return inherited;
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}
