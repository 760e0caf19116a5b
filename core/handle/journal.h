/* A journal keeps the events of a trace in a file, as lines of JSON, while the run goes on: a ring
 * holds the last ones alone. A look at a host's counters or sockets does not become a line: the
 * journal hands it back, since only the difference of two looks is told. */
#ifndef LUNET_HANDLE_JOURNAL_H
#define LUNET_HANDLE_JOURNAL_H

#include "handle/trace.h"

typedef struct journal journal;

/* Where the fields of an event go: a line, or a table. */
struct event_fields {
  void (*set_text)(struct event_fields *to, const char *name, const char *text, size_t length);
  void (*set_integer)(struct event_fields *to, const char *name, int64_t value);
  void (*set_time)(struct event_fields *to, const char *name, uint64_t at_ns);
};

typedef void event_describer(const trace *t, const struct event *e, struct event_fields *to);

/* Keeps the events from number `first` on, at the end of the file `path`. Times are told since
 * began_ns. 0 or a negative errno: -EBUSY if the trace has a journal, -ENOBUFS if the ring has lost
 * some of the events. */
int journal_open(trace *t, const char *path, uint64_t first, uint64_t began_ns,
                 event_describer *describe, journal **out);

/* Events that journal_write has not written yet are lost. */
void journal_close(journal *j);

/* Write the new events, and any text. 0, or the negative errno of the first write or allocation
 * that has failed: after it, nothing more is written. */
int journal_write(journal *j);
int journal_write_text(journal *j, const char *text, size_t length);

/* The oldest look that is not handed back yet; NULL: there is none. */
const struct event *journal_look(const journal *j);
void journal_forget_look(journal *j);

#endif
