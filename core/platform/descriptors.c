#include "platform/descriptors.h"

#include <stdbool.h>

/* Static, because the limit belongs to the process and not to a Lua state. */
static struct {
  rlim_t value;   /* the inherited RLIMIT_NOFILE */
  bool is_raised; /* descriptors_raise has changed it */
} limit_before;

void descriptors_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
  limit_before.value = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  limit_before.is_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

rlim_t descriptors_inherited(void) {
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  if (limit_before.is_raised) return limit_before.value;
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}
