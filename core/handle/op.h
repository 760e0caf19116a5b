/* A pending operation (op) is one call that may have to wait. The caller embeds the op and starts
 * it through a handle, as in `connection_receive(c, o)`. The op ends exactly once, with a result.
 *
 *        op_start         op_wait          op_end        ops_run           op_idle
 *   idle -------> starting -----> waiting -------> ended -----> delivered -------> idle
 *                    |                               |
 *                    +--- op_end: it ended at once --+--- the caller takes the result ---> idle
 *
 * The caller calls op_start, then the handle's function. The handle calls attempt. True means that
 * attempt has called op_end. False means that the system call would block: the handle calls op_wait
 * and op_put_off. With a deadline of 0, op_wait ends the op with OP_TIMEOUT instead. The loop calls
 * subscribe once no task can run. When the descriptor is ready, the handle attempts its queue
 * again. An attempt calls op_end, or the deadline does (OP_TIMEOUT), the close of the handle
 * (OP_CLOSED) or the task (OP_CANCELED). op_end calls the kind's ended. It puts only an op that has
 * waited into the ready queue, from which the loop calls `done`. */
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
 * that nobody takes the script's deadline for the kernel's ETIMEDOUT. */
enum {
  OP_TIMEOUT = -100001,  /* the script's deadline passed */
  OP_EOF = -100002,      /* the peer's FIN, and nothing left to read */
  OP_CLOSED = -100003,   /* this side closed the handle, perhaps during the wait */
  OP_CANCELED = -100004, /* the task has an error to raise */
};

enum op_state {
  OP_IDLE,      /* zeroed memory is a valid idle op */
  OP_STARTING,  /* the handle is making the call */
  OP_WAITING,   /* in a queue, perhaps with a deadline */
  OP_ENDED,     /* has its result; perhaps in the ready queue */
  OP_DELIVERED, /* `done` has got it */
};

enum receive_what {
  RECEIVE_SOME,
  RECEIVE_EXACTLY,
  RECEIVE_LINE,
  RECEIVE_LINE_KEPT,
  RECEIVE_ALL,
  DISCARD_EXACTLY, /* these two count the bytes, and keep none */
  DISCARD_ALL,
};

typedef struct connection connection;

/* The acts of a handle for one kind of op. */
struct op_kind {
  bool (*attempt)(op *o);   /* makes the system call; false if it would block */
  void (*subscribe)(op *o); /* attempts once more, then watches the descriptor */
  void (*ended)(op *o);     /* records the event */
};

struct op {
  list link;                  /* in the handle's queue, then among the loop's ready ops */
  list put_off;               /* among the loop's ops that will subscribe */
  ops *ops;                   /* the loop's */
  void *owner;                /* the handle */
  const struct op_kind *kind; /* the handle's; NULL: waits only for the deadline */
  void (*done)(op *o);        /* the caller's */
  deadline deadline;
  uint64_t waits_since_ns; /* 0: it has not waited */
  size_t filled;           /* bytes that it put into the kernel's buffers: see ops_spend */
  uint16_t step;           /* the loop's step at op_put_off */
  uint8_t state;           /* enum op_state; op.c alone writes it */
  bool awaits_tasks;       /* only the end of a task ends it */
  bool is_background;      /* nobody waits for its task, which ends with others */
  bool is_in_scratch; /* as.receive.data is in the loop's scratch memory, valid until the loop runs
                         again */
  ssize_t result;
  void *owned; /* malloc'ed memory behind the result; op_release frees it */
  union {
    struct {
      scope *scope;          /* of the accepted connection */
      connection **accepted; /* where to put it; the caller keeps this memory */
    } accept;
    struct {
      const char *data; /* the caller keeps it */
      size_t length, sent;
    } send;
    struct {
      enum receive_what what;
      size_t want;      /* for the forms that want exactly so many */
      const char *data; /* the result, `result` bytes long */
      size_t taken;     /* bytes, with a line's newline, which the result may lack; of a discard: so
                           far */
      int cut;          /* the error that ended the stream after these bytes; 0: none */
      bool has_more;    /* the last attempt stopped so that other tasks can run */
      bool got_less;    /* the last attempt got fewer bytes than it asked for */
      bool left_some;   /* the last attempt saw more bytes than it took */
      bool copies;      /* a discard has to copy: the socket is not TCP's */
    } receive;
  } as;
};

/* Keeps `done`, and nothing else of the last time. */
void op_start(op *o, ops *all, uint64_t deadline_ns);

/* The call would block: waits in `queue` (NULL: in none). Ends with OP_TIMEOUT instead if the
 * deadline is DEADLINE_POLL. */
void op_wait(op *o, list *queue);

/* Defers the epoll_ctl(2) of a waiting op until no task can run: by then another task has often
 * satisfied the op. */
void op_put_off(op *o);

/* Attempts the ops of a queue in order, up to the first that would still block. */
void op_attempt_all(list *queue);

/* Ends a starting or waiting op, and leaves any other alone. */
void op_end(op *o, ssize_t result);
void op_end_all(list *queue, ssize_t result);

/* Puts an op that ended at once into the ready queue, so that other tasks run first. */
void op_postpone(op *o);

void op_idle(op *o);    /* the caller takes the result, and may start the op again */
void op_forget(op *o);  /* ends it without calling `done` */
void op_release(op *o); /* frees the memory behind the result */

static inline bool op_ended(const op *o) { return o->state >= OP_ENDED; }

/* -- the loop's ops ------------------------------------------------------------------------ */

enum { OPS_SCRATCH = 64 * 1024 };

int ops_open(watches *ws, ops **out);
void ops_close(ops *all); /* drops undelivered results */

/* The longest time that a poll may take, in ms; -1: no limit. */
int ops_patience_ms(const ops *all);

/* Call it after a poll. Lets put-off ops subscribe, ends the ops whose deadline has passed, then
 * delivers all ops that have ended so far. Ops that end meanwhile wait for the next call, so that
 * no task can keep the loop from polling. */
void ops_run(ops *all);

bool ops_has_ready(const ops *all);

/* No op is ready, and those in the foreground wait only for the end of tasks: they would sleep for
 * ever. */
bool ops_is_stuck(const ops *all);

/* Bounds the calls that end at once between two polls, over all tasks; but each task that runs in
 * between has some. Returns false when the bound is used up. A call that fills the kernel's buffers
 * costs more: if the receiver gets its turn soon, what was sent is still in the processor's cache.
 */
bool ops_spend(ops *all, const op *o);

char *ops_scratch(ops *all); /* OPS_SCRATCH bytes, free to use between two polls */
deadlines *ops_deadlines(ops *all);

#endif
