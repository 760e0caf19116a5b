/* lunet-guard, the program through which lunet starts all others (core/guard.c): where it is, and
 * what it tells. */
#ifndef LUNET_PLATFORM_GUARD_H
#define LUNET_PLATFORM_GUARD_H

#include <stdint.h>

enum { GUARD_REPORTS = 3 }; /* the descriptor that it writes its reports to */

enum guard_report_kind {
  GUARD_STARTED,           /* value: the program's process number, as lunet sees it */
  GUARD_ENDED,             /* value: its exit status, or the signal that killed it, negative */
  GUARD_FAILED_NAMESPACES, /* value of this and of those below: errno */
  GUARD_FAILED_FORK,
  GUARD_FAILED_DIRECTORY,
  GUARD_FAILED_PROGRAM,
};

/* Smaller than PIPE_BUF: written and read whole. */
struct guard_report {
  int32_t kind; /* enum guard_report_kind */
  int32_t value;
};

/* Where it is: GUARD_FILE on some floor above the program or module that this code is in. NULL: it
 * is on none of them. */
#define GUARD_FILE "libexec/lunet/lunet-guard"
const char *guard_path(void);

#endif
