/* The trace is a ring of the last events. Every primitive writes an event when its system call has
 * returned, so the event has the time of the kernel's answer. */
#ifndef LUNET_HANDLE_TRACE_H
#define LUNET_HANDLE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "handle/ends.h"
#include "handle/list.h"
#include "platform/segment.h"

typedef struct trace trace;

enum { TRACE_EVENTS = 16 * 1024 }; /* that the ring holds */

enum event_kind {
  EVENT_LISTEN,
  EVENT_CONNECT,
  EVENT_ACCEPT,
  EVENT_SEND,
  EVENT_RECEIVE,
  EVENT_SHUTDOWN, /* bytes: SHUT_RD, SHUT_WR or SHUT_RDWR */
  EVENT_SET,      /* text: socket options, "rcvbuf = 4096, nodelay = true" */
  EVENT_DISSOLVE, /* connect(2) to AF_UNSPEC */
  EVENT_CLOSE,
  EVENT_RESET,
  EVENT_GATE,        /* bytes: connections that may be open */
  EVENT_RESIZE,      /* bytes: the new backlog */
  EVENT_QUEUE,       /* a queue has changed. bytes: depth, code: limit */
  EVENT_FOUND,       /* a program listens there. EVENT_QUEUEs of its queue follow */
  EVENT_GONE,        /* a program no longer listens there */
  EVENT_EXEC,        /* bytes: the program's process number */
  EVENT_SIGNAL,      /* lunet has sent a program a signal. bytes: its number, code: the process that
                        alone gets it, or 0 */
  EVENT_EXIT,        /* bytes: the exit status, or the signal that killed it, negative */
  EVENT_OUTPUT_LOST, /* from now on a program's stream that nobody reads loses its oldest bytes.
                        bytes: those that stay */
  EVENT_OUTPUT_FULL, /* a program's stream that nobody reads is full, and blocks its writers. bytes:
                        unread ones */
  EVENT_DROP,        /* a rule begins to lose segments. text: the rule */
  EVENT_DROP_END,    /* the rule has ended. bytes: lost segments */
  EVENT_LOSS,        /* a wire has lost a frame. code: enum loss_cause; bytes: those of a segment */
  EVENT_NOTE,        /* text: the script's own words, perhaps with zeros; bytes: their length */
  EVENT_COUNTERS,    /* text: a host's /proc/net/snmp and netstat */
  EVENT_SOCKETS,     /* text: a host's sockets, see snapshot.c */
};

extern const char *const event_names[]; /* by enum event_kind; ends with NULL */

enum loss_cause {
  LOSS_CHANCE,
  LOSS_CAPACITY, /* too many bytes were on the way */
  LOSS_HAND,     /* the script lost this one */
  LOSS_CUT,      /* the script cut the wire */
};

extern const char *const loss_names[]; /* by enum loss_cause */

/* The subject of an event. */
struct trace_socket {
  uint32_t id; /* from 1; never reused within a loop; 0: no socket */
  struct trace_end local, peer;
  uint16_t host;  /* index into the loop's hosts; 0 is home */
  uint16_t label; /* index into the trace's labels; 0: none */
  uint16_t path;  /* likewise: the address of a Unix socket, "unix:/path" */
  uint8_t stream; /* 1, 2, 3: stdin, stdout, stderr of the program in the label; 0: no stream */
};

/* The ring has thousands of them: 64 bytes. */
struct event {
  uint64_t at_ns; /* clock_now_ns() */
  union {
    uint64_t since_ns; /* of a call: when it began to wait; 0: it never waited */
    char *text;        /* if has_text; the trace owns it. NULL: there was no memory */
    uint32_t drops;    /* of EVENT_QUEUE: what the listener has dropped so far; 0 also if unknown */
    struct {
      uint32_t sequence, acknowledgement;
    } lost; /* of EVENT_LOSS */
  } as;
  int64_t bytes;
  struct trace_socket socket;
  int32_t code;  /* 0, or a negative errno or OP_ result */
  uint16_t kind; /* enum event_kind */
  uint8_t flags; /* of EVENT_LOSS: enum segment_flag; 0: no TCP segment */
  bool has_text;
};

const char *event_text(const struct event *e); /* NULL: none */
void event_free_text(const struct event *e);

int trace_open(trace **out);
void trace_close(trace *t);

void trace_end_set(trace *t, struct trace_end *e, const address *a);
bool trace_end_get(const trace *t, const struct trace_end *e, address *out); /* see ends_get */

void trace_record(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                  int32_t code);
void trace_record_wait(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                       int32_t code, uint64_t since_ns);
void trace_record_text(trace *t, const struct trace_socket *s, enum event_kind kind,
                       const char *text, int32_t code); /* copies the text */
void trace_note(trace *t, const char *text, size_t length);

/* Events are numbered from 0. The ring still has those from first up to next - 1. */
uint64_t trace_first(const trace *t);
uint64_t trace_next(const trace *t);
const struct event *trace_event(const trace *t, uint64_t number);

/* Keeps the events that the ring is about to lose. */
struct trace_keeper {
  uint64_t next;                        /* it has the events before this number */
  void (*keep)(struct trace_keeper *k); /* moves `next` to trace_next */
};

enum { TRACE_UNKEPT = 1024 }; /* events, at most: keeping them takes less than a millisecond */

/* NULL: nobody keeps them from now on. Returns false if there is another keeper. */
bool trace_set_keeper(trace *t, struct trace_keeper *k);

uint16_t trace_label(trace *t,
                     const char *text); /* returns the index of the label; 0 without room */
const char *trace_label_text(const trace *t, uint16_t label);

/* While probing is on, the trace asks each probe after every event whether something has changed.
 * After events that change little, trace_catch_up asks instead, before the loop sleeps. */
struct trace_probe {
  list in_trace;
  void (*ask)(struct trace_probe *p,
              bool is_noteworthy); /* records changes by trace_append. At a noteworthy event a
                                      closer look is worth its time. */
};

void trace_probe_open(trace *t, struct trace_probe *p);
void trace_probe_close(struct trace_probe *p);
list *trace_probes(trace *t); /* of trace_probes, linked by in_trace */
void trace_catch_up(trace *t);
bool trace_is_probing(const trace *t);
void trace_set_probing(trace *t, bool on);
void trace_append(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                  int32_t code); /* records without asking the probes */
void trace_append_queue(trace *t, const struct trace_socket *s, uint32_t depth, uint32_t limit,
                        uint32_t drops);
void trace_append_loss(trace *t, const struct trace_socket *s, enum loss_cause cause,
                       const struct segment *lost);
void trace_append_text(trace *t, const struct trace_socket *s, enum event_kind kind,
                       char *text); /* malloc'ed; the trace frees it */

#endif
