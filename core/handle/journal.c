#include "handle/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/json.h"

enum { CHUNK = 64 * 1024 }; /* bytes of a write(2), about */

struct journal {
  struct trace_keeper keeper;
  struct event_fields fields;
  trace *trace;
  event_describer *describe;
  uint64_t began_ns;
  int fd;
  int error; /* the first one; 0: none */
  struct json lines;
  struct event *looks; /* with texts of their own */
  size_t look_first, look_end, look_room;
};

/* -- a line ---------------------------------------------------------------------------------- */

static struct json *journal_begin_field(struct event_fields *to, const char *name) {
  struct json *lines = &LIST_ENTRY(to, journal, fields)->lines;
  if (lines->length > 0 && lines->bytes[lines->length - 1] != ' ') json_add(lines, ", ", 2);
  json_add(lines, "\"", 1);
  json_add(lines, name, strlen(name));
  json_add(lines, "\":", 2);
  return lines;
}

static void journal_set_text(struct event_fields *to, const char *name, const char *text,
                             size_t length) {
  json_add_string(journal_begin_field(to, name), text, length);
}

static void journal_set_integer(struct event_fields *to, const char *name, int64_t value) {
  json_add_integer(journal_begin_field(to, name), value);
}

static void journal_set_time(struct event_fields *to, const char *name, uint64_t at_ns) {
  const journal *j = LIST_ENTRY(to, journal, fields);
  json_add_seconds(journal_begin_field(to, name), (int64_t)(at_ns - j->began_ns));
}

static void journal_add_line(journal *j, const struct event *e) {
  json_add(&j->lines, "{ ", 2);
  j->describe(j->trace, e, &j->fields);
  json_add(&j->lines, " }\n", 3);
}

/* -- the file -------------------------------------------------------------------------------- */

int journal_write_text(journal *j, const char *text, size_t length) {
  for (size_t done = 0; done < length && j->error == 0;) {
    ssize_t written = write(j->fd, text + done, length - done);
    if (written >= 0)
      done += (size_t)written;
    else if (errno != EINTR)
      j->error = -errno;
  }
  return j->error;
}

static void journal_write_lines(journal *j) {
  if (j->lines.lacks_memory && j->error == 0) j->error = -ENOMEM;
  journal_write_text(j, j->lines.bytes, j->lines.length);
  j->lines.length = 0;
}

/* -- looks ----------------------------------------------------------------------------------- */

static struct event *journal_new_look(journal *j) {
  if (j->look_first == j->look_end) j->look_first = j->look_end = 0;
  if (j->look_end == j->look_room) {
    size_t room = j->look_room == 0 ? 16 : 2 * j->look_room;
    struct event *larger = reallocarray(j->looks, room, sizeof *larger);
    if (larger == NULL) return NULL;
    j->looks = larger;
    j->look_room = room;
  }
  return &j->looks[j->look_end];
}

static void journal_add_look(journal *j, const struct event *e) {
  struct event *look = journal_new_look(j);
  const char *text = event_text(e);
  char *copy = look == NULL || text == NULL ? NULL : strdup(text);
  if (look == NULL || (text != NULL && copy == NULL)) {
    if (j->error == 0) j->error = -ENOMEM;
    return;
  }
  *look = *e;
  if (text != NULL) look->as.text = copy;
  j->look_end++;
}

const struct event *journal_look(const journal *j) {
  return j->look_first == j->look_end ? NULL : &j->looks[j->look_first];
}

void journal_forget_look(journal *j) {
  const struct event *look = &j->looks[j->look_first++];
  if (look->has_text) free(look->as.text);
}

/* -- the journal ----------------------------------------------------------------------------- */

static void journal_keep(struct trace_keeper *k) {
  journal *j = LIST_ENTRY(k, journal, keeper);
  for (; k->next < trace_next(j->trace); k->next++) {
    const struct event *e = trace_event(j->trace, k->next);
    if (j->error != 0) continue;
    if (e->kind == EVENT_COUNTERS || e->kind == EVENT_SOCKETS)
      journal_add_look(j, e);
    else
      journal_add_line(j, e);
    if (j->lines.length >= CHUNK) journal_write_lines(j);
  }
  journal_write_lines(j);
}

int journal_write(journal *j) {
  journal_keep(&j->keeper);
  return j->error;
}

/* Begins to keep the events, as the last step. */
static int journal_begin(journal *j, const char *path) {
  j->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (j->fd == -1) return -errno;
  if (j->keeper.next < trace_first(j->trace)) return -ENOBUFS;
  return trace_set_keeper(j->trace, &j->keeper) ? 0 : -EBUSY;
}

static void journal_free(journal *j) {
  if (j->fd != -1) close(j->fd);
  while (journal_look(j) != NULL) journal_forget_look(j);
  free(j->looks);
  json_free(&j->lines);
  free(j);
}

int journal_open(trace *t, const char *path, uint64_t first, uint64_t began_ns,
                 event_describer *describe, journal **out) {
  journal *j = malloc(sizeof *j);
  if (j == NULL) return -ENOMEM;
  *j = (journal){
    .keeper = {.next = first, .keep = journal_keep},
    .fields = {journal_set_text, journal_set_integer, journal_set_time},
    .trace = t,
    .describe = describe,
    .began_ns = began_ns,
    .fd = -1,
  };
  int result = journal_begin(j, path);
  if (result < 0)
    journal_free(j);
  else
    *out = j;
  return result;
}

void journal_close(journal *j) {
  trace_set_keeper(j->trace, NULL);
  journal_free(j);
}
