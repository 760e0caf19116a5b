/* lunet-guard, the program through which lunet starts all others (core/guard.c): where it is, how
 * it is called, what it tells, and what it can be asked. */
#ifndef LUNET_PLATFORM_GUARD_H
#define LUNET_PLATFORM_GUARD_H

#include <stdint.h>

/* The words that it is called with. */
enum {
  GUARD_LUNET = 1, /* lunet's process number */
  GUARD_NOFILE,    /* the program's limit of descriptors, as a number */
  GUARD_LIMITS,    /* for setrlimit(2): "7=64 4=0 "; soft and hard */
  GUARD_FDS,     /* how many descriptors the program gets from 3 on; the guard has them from 4 on */
  GUARD_STREAMS, /* a letter for each standard stream: enum guard_stream */
  GUARD_GRACE,   /* in ms: see lunet.program.grace */
  GUARD_DIRECTORY, /* of the program; "": lunet's own */
  GUARD_PROGRAM,   /* it and its arguments */
};

enum guard_stream {
  GUARD_STREAM_AS_IT_IS = '-',
  GUARD_STREAM_KEPT = 'k',      /* the program gets a pipe, see platform/keeper.h */
  GUARD_STREAM_AS_STDOUT = '=', /* stderr only */
};

enum { GUARD_REPORTS = 3 }; /* its end of a socket pair: it writes reports, and reads requests */

enum guard_report_kind {
  GUARD_STARTED,           /* value: the program's process number, as lunet sees it */
  GUARD_ENDED,             /* value: its exit status, or the signal that killed it, negative */
  GUARD_FAILED_NAMESPACES, /* value of this and of those below: errno */
  GUARD_FAILED_FORK,
  GUARD_FAILED_DIRECTORY,
  GUARD_FAILED_LIMITS,
  GUARD_FAILED_DESCRIPTORS,
  GUARD_FAILED_PROGRAM,
  GUARD_SIGNALED, /* answers a request. value: 0 or errno */
  GUARD_LOST,     /* output that nobody reads is lost from now on. value: the stream's number */
};

struct guard_report {
  int32_t kind; /* enum guard_report_kind */
  int32_t value;
};

/* A signal for every process of the program's namespace. */
struct guard_request {
  int32_t signal;
};

/* Where it is: GUARD_FILE on some floor above the program or module that this code is in. NULL: it
 * is on none of them. LuaRocks installs nothing but programs and modules, so there the guard is
 * with the modules. */
#define GUARD_FILE "libexec/lunet/lunet-guard"
#define GUARD_FILE_OF_ROCK "lib/lua/5.4/" GUARD_FILE
const char *guard_path(void);

#endif
