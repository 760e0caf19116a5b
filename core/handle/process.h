/* A program that runs on a host, with all that it starts. It is a handle (scope.h). Its close kills
 * all of these processes, and so does lunet's end: see core/guard.c. */
#ifndef LUNET_HANDLE_PROCESS_H
#define LUNET_HANDLE_PROCESS_H

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "handle/stream.h"
#include "platform/guard.h"
#include "platform/process_tree.h"

typedef struct process process;

enum { PROGRAM_FDS = 64 }; /* that a program can get, besides its streams */

struct program {
  const char *name;      /* as messages and the trace have it */
  char **words;          /* it and its arguments; ends with NULL */
  char **environment;    /* all of it; ends with NULL */
  const char *limits;    /* as GUARD_LIMITS has them */
  const char *directory; /* "": lunet's own */
  enum stream_kind streams[STREAMS];
  int fds[PROGRAM_FDS]; /* the program gets them as 3, 4, ... */
  int fd_count;
  bool is_nonblocking; /* the descriptors are */
  int grace_ms;        /* for what the program has started, once the program is killed */
};

/* Starts lunet-guard on the host, which will start the program. Opens the connections at near[] for
 * its connected streams; the caller owns them also on failure. Fails with -ENOENT only if there is
 * no lunet-guard. */
int process_open(loop *lp, const struct place *where, const host *h, const struct program *what,
                 connection **near[STREAMS], process **out);

/* Ends with 0 when the program runs, or with why it does not; then close it. */
void process_start(process *p, op *o);

enum guard_report_kind process_failed_at(const process *p); /* once it has failed to start */

/* Ends with 0 when the program has ended. Its descendants may still run. */
void process_wait(process *p, op *o);

/* Returns whether it has ended. `status` is its exit status, or the signal that killed it,
 * negative. */
bool process_ended(const process *p, int *status);

int process_signal(process *p, int number); /* to its whole process group */

/* Signals all that it has started, whatever its group or session, and all at once. */
int process_signal_all(process *p, int number);

/* Signals one of these processes; -ESRCH if it is none of them. */
int process_signal_one(process *p, pid_t number, int signal);

/* Lists what runs of it (platform/process_tree.h); the program itself is the first. */
int process_tree(process *p, struct process_tree *out);
int process_number(const process *p); /* as lunet sees it */
#endif
