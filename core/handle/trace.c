#include "handle/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle/op.h"
#include "platform/clock.h"

const char *const event_names[] = {
  [EVENT_LISTEN] = "listen",
  [EVENT_CONNECT] = "connect",
  [EVENT_ACCEPT] = "accept",
  [EVENT_SEND] = "send",
  [EVENT_RECEIVE] = "receive",
  [EVENT_SHUTDOWN] = "shutdown",
  [EVENT_SET] = "set",
  [EVENT_DISSOLVE] = "dissolve",
  [EVENT_CLOSE] = "close",
  [EVENT_RESET] = "reset",
  [EVENT_GATE] = "gate",
  [EVENT_RESIZE] = "resize",
  [EVENT_QUEUE] = "queue",
  [EVENT_FOUND] = "found",
  [EVENT_GONE] = "gone",
  [EVENT_EXEC] = "exec",
  [EVENT_SIGNAL] = "signal",
  [EVENT_EXIT] = "exit",
  [EVENT_DROP] = "drop",
  [EVENT_OUTPUT_LOST] = "output_lost",
  [EVENT_OUTPUT_FULL] = "output_full",
  [EVENT_DROP_END] = "drop_end",
  [EVENT_LOSS] = "loss",
  [EVENT_NOTE] = "note",
  [EVENT_COUNTERS] = "counters",
  [EVENT_SOCKETS] = "sockets",
  [EVENT_SOCKETS + 1] = NULL,
};

const char *const loss_names[] = {
  [LOSS_CHANCE] = "chance", [LOSS_CAPACITY] = "capacity", [LOSS_HAND] = "hand", [LOSS_CUT] = "cut"};

struct trace {
  uint64_t next;
  bool is_probing;
  bool has_put_off;                       /* trace_catch_up must still ask the probes */
  uint64_t next_timeout_ns, next_note_ns; /* when the next closer look is worth its time */
  list probes;
  struct trace_keeper *keeper; /* NULL: none */
  struct ends ends;
  char **labels; /* from 1 */
  uint16_t label_count;
  struct event ring[TRACE_EVENTS]; /* a page costs no memory before an event reaches it */
};

const char *event_text(const struct event *e) { return e->has_text ? e->as.text : NULL; }

void event_free_text(const struct event *e) {
  if (e->has_text) free(e->as.text);
}

static void trace_set_text(struct event *e, char *text) {
  e->has_text = true;
  e->as.text = text;
}

int trace_open(trace **out) {
  trace *t = calloc(1, sizeof *t);
  if (t == NULL) return -ENOMEM;
  list_init(&t->probes);
  *out = t;
  return 0;
}

void trace_close(trace *t) {
  for (int i = 0; i < TRACE_EVENTS; i++) event_free_text(&t->ring[i]);
  for (int i = 1; i <= t->label_count; i++) free(t->labels[i]);
  free(t->labels);
  ends_free(&t->ends);
  free(t);
}

void trace_end_set(trace *t, struct trace_end *e, const address *a) { ends_put(&t->ends, e, a); }

bool trace_end_get(const trace *t, const struct trace_end *e, address *out) {
  return ends_get(&t->ends, e, out);
}

static struct event *trace_new(trace *t, const struct trace_socket *s, enum event_kind kind,
                               int64_t bytes, int32_t code) {
  struct trace_keeper *k = t->keeper;
  if (k != NULL && t->next - k->next >= TRACE_UNKEPT) k->keep(k);
  struct event *e = &t->ring[t->next++ % TRACE_EVENTS];
  event_free_text(e);
  *e = (struct event){
    .at_ns = clock_now_ns(), .socket = *s, .kind = (uint16_t)kind, .code = code, .bytes = bytes};
  return e;
}

static void trace_ask(trace *t, bool is_noteworthy) {
  t->has_put_off = false;
  for (list *l = t->probes.next; l != &t->probes; l = l->next) {
    struct trace_probe *p = LIST_ENTRY(l, struct trace_probe, in_trace);
    p->ask(p, is_noteworthy);
  }
}

/* With many hosts a closer look takes milliseconds, in which nothing else runs. But deadlines may
 * pass by the thousand, and a script may note in a loop. So the next look waits `share` times as
 * long as this one took, and at least pause_ns. */
static void trace_look_closer(trace *t, uint64_t *next_ns, uint64_t pause_ns, uint64_t share) {
  uint64_t began_ns = clock_now_ns();
  bool may_look = began_ns >= *next_ns;
  trace_ask(t, may_look);
  if (!may_look) return;
  uint64_t now_ns = clock_now_ns(), earned_ns = share * (now_ns - began_ns);
  *next_ns = now_ns + (earned_ns > pause_ns ? earned_ns : pause_ns);
}

void trace_append(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                  int32_t code) {
  trace_new(t, s, kind, bytes, code);
}

void trace_append_queue(trace *t, const struct trace_socket *s, uint32_t depth, uint32_t limit,
                        uint32_t drops) {
  trace_new(t, s, EVENT_QUEUE, depth, (int32_t)limit)->as.drops = drops;
}

void trace_append_loss(trace *t, const struct trace_socket *s, enum loss_cause cause,
                       const struct segment *lost) {
  struct event *e = trace_new(t, s, EVENT_LOSS, lost->bytes, (int32_t)cause);
  e->as.lost.sequence = lost->sequence;
  e->as.lost.acknowledgement = lost->acknowledgement;
  e->flags = lost->flags;
}

void trace_append_text(trace *t, const struct trace_socket *s, enum event_kind kind, char *text) {
  trace_set_text(trace_new(t, s, kind, 0, 0), text);
}

void trace_record(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                  int32_t code) {
  trace_record_wait(t, s, kind, bytes, code, 0);
}

void trace_record_wait(trace *t, const struct trace_socket *s, enum event_kind kind, int64_t bytes,
                       int32_t code, uint64_t since_ns) {
  trace_new(t, s, kind, bytes, code)->as.since_ns = since_ns;
  if (!t->is_probing) return;
  if (code == OP_TIMEOUT)
    trace_look_closer(t, &t->next_timeout_ns, 100 * CLOCK_MS, 200);
  else if (kind == EVENT_RECEIVE || kind == EVENT_CLOSE)
    t->has_put_off = true; /* neither changes a queue much */
  else
    trace_ask(t, false);
}

void trace_record_text(trace *t, const struct trace_socket *s, enum event_kind kind,
                       const char *text, int32_t code) {
  trace_set_text(trace_new(t, s, kind, 0, code), strdup(text));
  if (t->is_probing) trace_ask(t, false);
}

void trace_catch_up(trace *t) {
  if (t->has_put_off) trace_ask(t, false);
}

void trace_note(trace *t, const char *text, size_t length) {
  struct event *e = trace_new(t, &(struct trace_socket){.id = 0}, EVENT_NOTE, 0, 0);
  char *copy = malloc(length + 1);
  if (copy != NULL) memcpy(copy, text, length + 1);
  trace_set_text(e, copy);
  e->bytes = copy == NULL ? 0 : (int64_t)length;
  if (t->is_probing) trace_look_closer(t, &t->next_note_ns, CLOCK_MS, 1);
}

uint64_t trace_first(const trace *t) { return t->next < TRACE_EVENTS ? 0 : t->next - TRACE_EVENTS; }
uint64_t trace_next(const trace *t) { return t->next; }

const struct event *trace_event(const trace *t, uint64_t number) {
  return &t->ring[number % TRACE_EVENTS];
}

bool trace_set_keeper(trace *t, struct trace_keeper *k) {
  if (k != NULL && t->keeper != NULL) return false;
  t->keeper = k;
  return true;
}

uint16_t trace_label(trace *t, const char *text) {
  for (uint16_t i = 1; i <= t->label_count; i++)
    if (strcmp(t->labels[i], text) == 0) return i;
  if (t->label_count == UINT16_MAX - 1) return 0;
  char **labels = realloc(t->labels, (t->label_count + 2u) * sizeof *labels);
  if (labels == NULL) return 0;
  t->labels = labels;
  char *copy = strdup(text);
  if (copy == NULL) return 0;
  labels[++t->label_count] = copy;
  return t->label_count;
}

const char *trace_label_text(const trace *t, uint16_t label) {
  return label == 0 || label > t->label_count ? NULL : t->labels[label];
}

void trace_probe_open(trace *t, struct trace_probe *p) { list_append(&t->probes, &p->in_trace); }
list *trace_probes(trace *t) { return &t->probes; }
void trace_probe_close(struct trace_probe *p) { list_remove(&p->in_trace); }
bool trace_is_probing(const trace *t) { return t->is_probing; }
void trace_set_probing(trace *t, bool on) {
  trace_catch_up(t);
  t->is_probing = on;
  t->next_timeout_ns = t->next_note_ns = 0;
}
