#include "handle/queue_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct queue_watch {
  handle handle;
  foreign *looks;
  struct foreign_target target;
};

static int queue_watch_close(handle *h) {
  foreign_close(((queue_watch *)h)->looks);
  return 0;
}

static void queue_watch_describe(const handle *h, char *text, size_t size) {
  const struct foreign_target *target = &((const queue_watch *)h)->target;
  char path[ADDRESS_TEXT];
  if (target->port != 0)
    snprintf(text, size, "port %d", target->port);
  else
    snprintf(text, size, "%s", address_format(&target->path, path));
}

static const struct handle_type queue_watch_type = {"watch", queue_watch_close, NULL, NULL,
                                                    queue_watch_describe};

int queue_watch_open(loop *lp, const struct place *p, const struct foreign_target *target,
                     uint64_t every_ns, queue_watch **out) {
  struct trace_socket about = {.host = p->host, .label = p->label};
  queue_watch *w = calloc(1, sizeof *w);
  if (w == NULL) return -ENOMEM;
  w->target = *target;
  int result = foreign_watch(lp, &about, target, every_ns, &w->looks);
  if (result < 0) {
    free(w);
    return result;
  }
  handle_open(&w->handle, &queue_watch_type, p);
  *out = w;
  return 0;
}

int queue_watch_peak(queue_watch *w, struct foreign_peak *out) {
  return foreign_read_peak(w->looks, out);
}
