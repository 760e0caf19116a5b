/* A pending operation: one call that may have to wait. Its owner embeds it and starts it through a
 * handle (`connection_receive(c, o)`); it ends exactly once, with a result.
 *
 * An op that ends while its call is still being made has ended at once: the caller looks at
 * op_ended() and goes on. One that had to wait is put into the loop's ready queue when it ends, and
 * the loop then calls its `deliver`. */
#ifndef LUNET_HANDLE_OP_H
#define LUNET_HANDLE_OP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "handle/list.h"
#include "handle/loop.h"

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

#define DEADLINE_NEVER UINT64_MAX
#define DEADLINE_POLL 0 /* do not wait at all */

enum receive_what { RECEIVE_SOME, RECEIVE_EXACTLY, RECEIVE_LINE, RECEIVE_LINE_KEPT, RECEIVE_ALL };

typedef struct connection connection;

/* What a handle does for an op. */
struct op_kind {
  bool (*attempt)(op *o); /* makes the system call; false if it would block */
  void (*watch)(op *o);   /* attempts once more, then has the kernel tell when it would not block */
  void (*ended)(op *o);   /* records the event */
};

struct op {
  list link;      /* in the queue it waits in, then in the loop's ready queue */
  list unwatched; /* among the loop's ops that are to be watched later */
  loop *lp;
  void *owner;                /* the handle it was started on */
  const struct op_kind *kind; /* the handle's; NULL: it waits for its deadline alone */
  void (*deliver)(op *o);     /* the caller's */
  uint64_t deadline_ns;       /* absolute, on clock_now_ns() */
  uint64_t waits_since_ns;    /* 0: it did not have to wait */
  uint32_t heap_slot;         /* its place among the deadlines; 0: none */
  uint16_t step;              /* of the loop, in which it became one to be watched later */
  uint8_t state;              /* enum op_state */
  bool awaits_tasks;          /* ends when a task does: nothing from outside brings it */
  bool is_in_scratch; /* as.receive.data lies in the loop's scratch memory, which is good until
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

/* Prepares an op for its call. */
void op_start(op *o, loop *lp, uint64_t deadline_ns);

/* The call would block: wait in `queue` (or in none), or end with OP_TIMEOUT if the deadline is
 * DEADLINE_POLL. */
void op_wait(op *o, list *queue);

/* Repeats the calls of a queue in order, up to the first that would still block. */
void op_attempt_all(list *queue);

/* Ends a starting or waiting op; any other is left alone. */
void op_end(op *o, ssize_t result);
void op_end_all(list *queue, ssize_t result);

/* Sends an op that ended at once through the ready queue, so that others get their turn. */
void op_postpone(op *o);

/* Its result is being taken: it may be started again. */
void op_idle(op *o);

/* Frees the memory behind the result. */
void op_release(op *o);

static inline bool op_ended(const op *o) { return o->state >= OP_ENDED; }

#endif
