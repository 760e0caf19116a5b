#include "handle/idlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct idlers {
  handle handle;
  list quiet; /* members that wait */
  list due;   /* members that have something to read */
  list taken; /* members that wait no more */
  list ops;   /* that wait for a member */
  int count;
  bool is_finished;
};

/* A list's links stay valid: the connections outlive their membership. */
static void idlers_dismiss(list *members) {
  while (!list_empty(members)) {
    idler *one = LIST_ENTRY(members->next, idler, link);
    list_remove(&one->link);
    *one = (idler){.of = NULL};
  }
}

static int idlers_close(handle *h) {
  idlers *all = (idlers *)h;
  idlers_dismiss(&all->quiet);
  idlers_dismiss(&all->due);
  idlers_dismiss(&all->taken);
  all->count = 0;
  op_end_all(&all->ops, OP_CLOSED);
  return 0;
}

static void idlers_describe(const handle *h, char *text, size_t size) {
  snprintf(text, size, "of %d connections", ((const idlers *)h)->count);
}

static const struct handle_type idlers_type = {"idlers", idlers_close, NULL, NULL, idlers_describe};

int idlers_open(const struct place *p, idlers **out) {
  idlers *all = calloc(1, sizeof *all);
  if (all == NULL) return -ENOMEM;
  list_init(&all->quiet);
  list_init(&all->due);
  list_init(&all->taken);
  list_init(&all->ops);
  handle_open(&all->handle, &idlers_type, p);
  *out = all;
  return 0;
}

void idlers_add(idlers *all, idler *one) {
  if (one->of == all) {
    list_remove(&one->link);
  } else {
    idler_leave(one);
    one->of = all;
    all->count++;
  }
  one->is_due = one->is_unread = false;
  list_append(&all->quiet, &one->link);
}

void idler_wake(idler *one) {
  if (one->of == NULL || one->is_due) return;
  one->is_due = true;
  list_remove(&one->link);
  list_append(&one->of->due, &one->link);
  op_end_all(&one->of->ops, 0);
}

static void idlers_end_if_empty(idlers *all) {
  if (all->is_finished && all->count == 0) op_end_all(&all->ops, OP_CLOSED);
}

void idler_leave(idler *one) {
  idlers *all = one->of;
  if (all == NULL) return;
  list_remove(&one->link);
  *one = (idler){.of = NULL};
  all->count--;
  idlers_end_if_empty(all);
}

idler *idlers_take(idlers *all) {
  if (list_empty(&all->due)) return NULL;
  idler *one = LIST_ENTRY(all->due.next, idler, link);
  list_remove(&one->link);
  list_append(&all->taken, &one->link);
  one->is_unread = true;
  return one;
}

void idlers_finish(idlers *all) {
  all->is_finished = true;
  idlers_end_if_empty(all);
}

void idlers_await(idlers *all, op *o) {
  bool is_over = !handle_is_open(all) || (all->is_finished && all->count == 0);
  if (is_over)
    op_end(o, OP_CLOSED);
  else if (!list_empty(&all->due))
    op_end(o, 0);
  else
    op_wait(o, &all->ops);
}
