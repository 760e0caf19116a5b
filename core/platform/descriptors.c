#include "platform/descriptors.h"

#include <stdbool.h>

/* A fact about the process, not about a Lua state: so static. */
static struct {
  rlim_t value;   /* of RLIMIT_NOFILE, as it was inherited */
  bool is_raised; /* from that */
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
