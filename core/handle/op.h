/* A pending operation: one call that may have to wait. Its caller embeds it and starts it through a
 * handle, as in `connection_receive(c, o)`. It ends exactly once, with a result.
 *
 *        op_start         op_wait          op_end        ops_run           op_idle
 *   idle -------> starting -----> waiting -------> ended -----> delivered -------> idle
 *                    |                               |
 *                    +--- op_end: it ended at once --+--- the caller takes the result ---> idle
 *
 * The caller calls op_start, then the handle's function. The handle calls attempt: true, it has
 * called op_end; false, the system call would block, so the handle calls op_wait and op_put_off.
 * With a deadline of 0 op_wait ends the op with OP_TIMEOUT instead. The loop calls subscribe once
 * no task can run; when the descriptor is ready, the handle attempts its queue again. op_end comes
 * from an attempt, from the deadline (OP_TIMEOUT), from closing the handle (OP_CLOSED) or from the
 * task (OP_CANCELED); it calls the kind's ended. Only an op that has waited is put into the ready
 * queue, from which the loop calls `done`. */
#ifndef LUNET_HANDLE_OP_H
#define LUNET_HANDLE_OP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "handle/deadline.h"
#include "handle/list.h"

typedef struct op op;
typedef struct ops ops;
typedef struct scope scope;

/* Results besides counts and the kernel's negative errno. They lie outside the kernel's range, so
 * that the script's own deadline is never mistaken for the kernel's ETIMEDOUT. */
enum {
  OP_TIMEOUT = -100001,  /* the script's deadline passed */
  OP_EOF = -100002,      /* the peer's FIN, and nothing left to read */
  OP_CLOSED = -100003,   /* closed by this side, perhaps while waiting */
  OP_CANCELED = -100004, /* ended from outside: its owner has something to raise */
};

enum op_state {
  OP_IDLE,      /* zeroed memory is a valid idle op */
  OP_STARTING,  /* its call is being made */
  OP_WAITING,   /* in a queue, perhaps with a deadline */
  OP_ENDED,     /* has its result; perhaps in the ready queue */
  OP_DELIVERED, /* its owner was told */
};

enum receive_what { RECEIVE_SOME, RECEIVE_EXACTLY, RECEIVE_LINE, RECEIVE_LINE_KEPT, RECEIVE_ALL };

typedef struct connection connection;

/* The acts of a handle for one kind of op. */
struct op_kind {
  bool (*attempt)(op *o);   /* makes the system call; false if it would block */
  void (*subscribe)(op *o); /* attempts once more, then has the kernel tell when it would not */
  void (*ended)(op *o);     /* records the event */
};

struct op {
  list link;                  /* in the queue it waits in, then among the loop's ready ones */
  list put_off;               /* among the loop's ops that will subscribe later */
  ops *ops;                   /* the loop's */
  void *owner;                /* the handle it was started on */
  const struct op_kind *kind; /* the handle's; NULL: it waits for its deadline alone */
  void (*done)(op *o);        /* the caller's */
  deadline deadline;
  uint64_t waits_since_ns; /* 0: it did not have to wait */
  uint16_t step;           /* of the loop, in which it was put off */
  uint8_t state;           /* enum op_state; op.c alone writes it */
  bool awaits_tasks;       /* ends when a task does: nothing from outside brings it */
  bool is_in_scratch;      /* as.receive.data lies in the loop's scratch memory, which is good until
                              the loop runs again */
  ssize_t result;
  void *owned; /* malloc'ed memory behind the result; op_release frees it */
  union {
    struct {
      scope *scope;          /* which the accepted connection will belong to */
      connection **accepted; /* where it goes: the caller's, and must stay */
    } accept;
    struct {
      const char *data; /* the caller's, and must stay */
      size_t length, sent;
    } send;
    struct {
      enum receive_what what;
      size_t want;      /* for RECEIVE_EXACTLY */
      const char *data; /* the result, `result` bytes long */
      size_t taken;     /* how many bytes it took: a line's newline is not in the result */
      int cut;          /* the error that ended the stream behind these bytes; 0: none */
      bool has_more;    /* its last attempt stopped for others' sake: there may be more to take */
      bool got_less;    /* its last attempt got fewer bytes than it asked the kernel for */
      bool left_some;   /* its last attempt saw more bytes than it took from the kernel */
    } receive;
  } as;
};

/* Keeps `done`, and nothing else of the last time. */
void op_start(op *o, ops *all, uint64_t deadline_ns);

/* The call would block: wait in `queue` (or in none), or end with OP_TIMEOUT if the deadline is
 * DEADLINE_POLL. */
void op_wait(op *o, list *queue);

/* It waits, and will subscribe when no task can run: by then another task has often brought what it
 * waits for, and an epoll_ctl(2) is saved. */
void op_put_off(op *o);

/* Repeats the calls of a queue in order, up to the first that would still block. */
void op_attempt_all(list *queue);

/* Ends a starting or waiting op; any other is left alone. */
void op_end(op *o, ssize_t result);
void op_end_all(list *queue, ssize_t result);

/* Sends an op that ended at once through the ready queue, so that others get their turn. */
void op_postpone(op *o);

void op_idle(op *o);    /* its result is being taken: it may be started again */
void op_forget(op *o);  /* ends it without a word to its caller */
void op_release(op *o); /* frees the memory behind the result */

static inline bool op_ended(const op *o) { return o->state >= OP_ENDED; }

/* -- the loop's ops ------------------------------------------------------------------------ */

enum { OPS_SCRATCH = 64 * 1024 };

int ops_open(watches *ws, ops **out);
void ops_close(ops *all); /* drops results that nobody was told */

/* How long a poll may take, in ms; -1: as long as it takes. */
int ops_patience_ms(const ops *all);

/* Call after a poll. Lets the put-off ops subscribe, ends the ops whose deadline has passed, then
 * tells the callers of all ops that have ended so far. Ops that end meanwhile wait for the next
 * call, so that no task can keep the loop from polling. */
void ops_run(ops *all);

bool ops_has_ready(const ops *all);

/* Nothing is ready, and no op waits for anything but the end of tasks: the loop would sleep for
 * ever. */
bool ops_is_stuck(const ops *all);

/* A bound on calls that finish at once between two polls: false when it is used up. */
bool ops_spend(ops *all);

char *ops_scratch(ops *all); /* OPS_SCRATCH bytes, free to use between two polls */
deadlines *ops_deadlines(ops *all);

#endif
