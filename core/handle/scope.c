#include "handle/scope.h"

#include <stdlib.h>

void scope_open(scope *s, struct scopes *all) {
  s->scopes = all;
  list_init(&s->handles);
  list_append(&all->open, &s->in_scopes);
}

void scope_close_handles(scope *s) {
  while (!list_empty(&s->handles)) handle_close(LIST_ENTRY(s->handles.prev, handle, in_scope));
}

void scopes_close_handles(struct scopes *all) {
  for (list *l = all->open.prev, *prev; l != &all->open; l = prev) {
    prev = l->prev;
    scope_close_handles(LIST_ENTRY(l, scope, in_scopes));
  }
}

void scope_close(scope *s) {
  scope_close_handles(s);
  list_remove(&s->in_scopes);
}

void handle_open(handle *h, const struct handle_type *type, const struct place *p) {
  h->type = type;
  h->host = p->host;
  h->scopes = p->scope->scopes;
  h->is_open = true;
  list_append(&p->scope->handles, &h->in_scope);
}

bool handle_is_open(const void *h) { return h != NULL && ((const handle *)h)->is_open; }

static bool scope_forget(handle *h) {
  if (!h->is_open) return false;
  h->is_open = false;
  list_remove(&h->in_scope);
  if (h->anchor != 0) h->scopes->on_closed(h->scopes->context, h->anchor);
  h->anchor = 0;
  return true;
}

int handle_close(void *closed) {
  handle *h = closed;
  return scope_forget(h) ? h->type->close(h) : 0;
}

void handle_abort(void *aborted) {
  handle *h = aborted;
  if (h->type->abort == NULL)
    handle_close(h);
  else if (scope_forget(h))
    h->type->abort(h);
}

void handle_free(void *freed) {
  handle *h = freed;
  handle_close(h);
  if (h->type->free != NULL) h->type->free(h);
  free(h);
}

bool handle_anchor(handle *h, unsigned anchor) {
  if (h->is_open) h->anchor = anchor & INT32_MAX;
  return h->is_open;
}

/* The newest scope comes first. Aborting a handle may close others, so the search starts anew each
 * time. */
static handle *scope_find(struct scopes *all, uint16_t host) {
  for (list *s = all->open.prev; s != &all->open; s = s->prev) {
    list *handles = &LIST_ENTRY(s, scope, in_scopes)->handles;
    for (list *l = handles->prev; l != handles; l = l->prev) {
      handle *h = LIST_ENTRY(l, handle, in_scope);
      if (h->host == host || h->far_host == host) return h;
    }
  }
  return NULL;
}

void handle_abort_all(struct scopes *all, uint16_t host) {
  handle *h;
  while ((h = scope_find(all, host)) != NULL) handle_abort(h);
}
