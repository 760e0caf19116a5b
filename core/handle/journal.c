#include "handle/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/json.h"

enum {
  CHUNK = 64 * 1024, /* bytes of a write(2), about */
  LOOKS = 256,       /* that wait to be handed back: to tell them takes 0.1 s */
};

struct journal {
  struct trace_keeper keeper;
  struct event_fields fields;
  trace *trace;
  event_describer *describe;
  uint64_t began_ns;
  int fd;
  int error;                /* the first one; 0: none */
  uint64_t lost, unwritten; /* events; the latter are in `lines` */
  struct json lines;
  struct event looks[LOOKS]; /* a ring; their texts are of their own */
  size_t look_first, look_count;
  char **known; /* the text of each host's last two looks: counters and sockets */
  size_t known_count;
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

static void journal_set_true(struct event_fields *to, const char *name) {
  json_add(journal_begin_field(to, name), "true", 4);
}

static void journal_set_bytes(struct event_fields *to, const char *name, const uint8_t *bytes,
                              size_t length) {
  struct json *lines = journal_begin_field(to, name);
  json_add(lines, "\"", 1);
  json_add_hex(lines, bytes, length);
  json_add(lines, "\"", 1);
}

struct event_fields *journal_begin_line(journal *j) {
  json_add(&j->lines, "{ ", 2);
  return &j->fields;
}

/* -- the file -------------------------------------------------------------------------------- */

int journal_write_text(journal *j, const char *text, size_t length) {
  struct stat before;
  if (j->error != 0 || length == 0) return j->error;
  if (fstat(j->fd, &before) == -1) return j->error = -errno;
  j->error = file_write_all(j->fd, text, length);
  int cut = j->error == 0 ? 0 : ftruncate(j->fd, before.st_size);
  (void)cut; /* the first error counts */
  return j->error;
}

static void journal_write_lines(journal *j) {
  if (j->lines.lacks_memory && j->error == 0) j->error = -ENOMEM;
  if (journal_write_text(j, j->lines.bytes, j->lines.length) != 0) j->lost += j->unwritten;
  j->lines.length = j->unwritten = 0;
}

void journal_end_line(journal *j) {
  json_add(&j->lines, " }\n", 3);
  if (j->lines.length >= CHUNK) journal_write_lines(j);
}

int journal_check(const journal *j, const char *path) {
  struct stat named;
  return stat(path, &named) == 0 && file_is_same(&named, j->fd) ? 0 : -ESTALE;
}

int journal_empty(const journal *j) { return ftruncate(j->fd, 0) == -1 ? -errno : 0; }

uint64_t journal_lost(const journal *j) { return j->lost; }

/* -- looks ----------------------------------------------------------------------------------- */

/* The place of the text that the last look of this kind had on the same host; NULL: no memory. */
static char **journal_known(journal *j, const struct event *e) {
  size_t at = 2u * e->socket.host + (e->kind == EVENT_SOCKETS);
  if (at >= j->known_count) {
    size_t count = 2 * (at + 1);
    char **larger = reallocarray(j->known, count, sizeof *larger);
    if (larger == NULL) return NULL;
    memset(larger + j->known_count, 0, (count - j->known_count) * sizeof *larger);
    j->known = larger;
    j->known_count = count;
  }
  return &j->known[at];
}

const struct event *journal_look(const journal *j) {
  return j->look_count == 0 ? NULL : &j->looks[j->look_first];
}

void journal_forget_look(journal *j) {
  event_free_text(&j->looks[j->look_first]);
  j->look_first = (j->look_first + 1) % LOOKS;
  j->look_count--;
}

/* A look that failed has no text. The other ones' texts are copied twice: each may go first. */
static int journal_add_look(journal *j, const struct event *e) {
  const char *text = event_text(e);
  struct event look = *e;
  if (text != NULL) {
    char **known = journal_known(j, e);
    if (known == NULL) return -ENOMEM;
    if (*known != NULL && strcmp(*known, text) == 0) return 0;
    free(*known);
    *known = strdup(text);
    look.as.text = strdup(text);
    if (*known == NULL || look.as.text == NULL) {
      free(look.as.text);
      return -ENOMEM;
    }
  }
  if (j->look_count == LOOKS) journal_forget_look(j);
  j->looks[(j->look_first + j->look_count++) % LOOKS] = look;
  return 0;
}

/* -- the journal ----------------------------------------------------------------------------- */

static void journal_add_event(journal *j, const struct event *e) {
  if (e->kind == EVENT_COUNTERS || e->kind == EVENT_SOCKETS) {
    j->error = journal_add_look(j, e);
    return;
  }
  j->describe(j->trace, e, journal_begin_line(j));
  j->unwritten++;
  journal_end_line(j);
}

static void journal_keep(struct trace_keeper *k) {
  journal *j = LIST_ENTRY(k, journal, keeper);
  for (; k->next < trace_next(j->trace); k->next++) {
    if (j->error == 0)
      journal_add_event(j, trace_event(j->trace, k->next));
    else
      j->lost++;
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
  for (size_t i = 0; i < j->known_count; i++) free(j->known[i]);
  free(j->known);
  json_free(&j->lines);
  free(j);
}

int journal_open(trace *t, const char *path, uint64_t first, uint64_t began_ns,
                 event_describer *describe, journal **out) {
  journal *j = malloc(sizeof *j);
  if (j == NULL) return -ENOMEM;
  *j = (journal){
    .keeper = {.next = first, .keep = journal_keep},
    .fields = {journal_set_text, journal_set_integer, journal_set_time, journal_set_true,
               journal_set_bytes},
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
