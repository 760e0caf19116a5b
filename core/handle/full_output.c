#include "handle/full_output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "platform/unix_queue.h"

struct full_output {
  struct trace_probe probe;
  trace *trace;
  struct trace_socket about;
  ino_t far;
  bool was_full;
};

static void full_output_look(full_output *f) {
  uint32_t unread;
  bool is_full;
  if (unix_output_read(f->far, &unread, &is_full) < 0) return; /* the program has closed it */
  if (is_full && !f->was_full)
    trace_append(f->trace, &f->about, EVENT_OUTPUT_FULL, (int64_t)unread, 0);
  f->was_full = is_full;
}

static void full_output_ask(struct trace_probe *p, bool is_noteworthy) {
  if (is_noteworthy) full_output_look(LIST_ENTRY(p, full_output, probe));
}

int full_output_open(trace *t, int far, const struct trace_socket *about, full_output **out) {
  struct stat status;
  if (fstat(far, &status) == -1) return -errno;
  full_output *f = calloc(1, sizeof *f);
  if (f == NULL) return -ENOMEM;
  f->trace = t;
  f->about = *about;
  f->far = status.st_ino;
  f->probe.ask = full_output_ask;
  trace_probe_open(t, &f->probe);
  *out = f;
  return 0;
}

void full_output_close(full_output *f) {
  if (f == NULL) return;
  if (trace_is_probing(f->trace)) full_output_look(f);
  trace_probe_close(&f->probe);
  free(f);
}
