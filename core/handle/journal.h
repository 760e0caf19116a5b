/* A journal keeps the events of a trace in a file, as lines of JSON, while the run goes on: a ring
 * holds the last ones alone. A look at a host's counters or sockets does not become a line: the
 * journal hands it back, since only the difference of two looks is told. It drops a look that is
 * the same as the one before, and the oldest of too many: the next difference has both. */
#ifndef LUNET_HANDLE_JOURNAL_H
#define LUNET_HANDLE_JOURNAL_H

#include "handle/trace.h"

typedef struct journal journal;

/* Where the fields of an event go: a line, or a table. */
struct event_fields {
  void (*set_text)(struct event_fields *to, const char *name, const char *text, size_t length);
  void (*set_integer)(struct event_fields *to, const char *name, int64_t value);
  void (*set_time)(struct event_fields *to, const char *name, uint64_t at_ns);
  void (*set_true)(struct event_fields *to, const char *name);
  void (*set_bytes)(struct event_fields *to, const char *name, const uint8_t *bytes,
                    size_t length); /* of no text */
};

typedef void event_describer(const trace *t, const struct event *e, struct event_fields *to);

/* Keeps the events from number `first` on, at the end of the file `path`. Times are told since
 * began_ns. 0 or a negative errno: -EBUSY if the trace has a journal, -ENOBUFS if the ring has lost
 * some of the events. */
int journal_open(trace *t, const char *path, uint64_t first, uint64_t began_ns,
                 event_describer *describe, journal **out);

/* Events that journal_write has not written yet are lost. */
void journal_close(journal *j);

/* These write the new events, and whole lines of text. 0, or the negative errno of the first write
 * or allocation that has failed: after it, nothing more is written, and the file ends with the line
 * before. */
int journal_write(journal *j);
int journal_write_text(journal *j, const char *text, size_t length);
uint64_t journal_lost(const journal *j); /* events that were not written */

/* A line besides the events, which journal_write writes. */
struct event_fields *journal_begin_line(journal *j);
void journal_end_line(journal *j);

int journal_empty(const journal *j); /* empties the file; 0 or a negative errno */

/* 0: the path names the journal's file. -ESTALE: another one, or none. */
int journal_check(const journal *j, const char *path);

/* The oldest look that is not handed back yet; NULL: there is none. */
const struct event *journal_look(const journal *j);
void journal_forget_look(journal *j);

#endif
