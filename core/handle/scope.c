#include "handle/scope.h"

void scope_open(scope *s, loop *lp) {
  s->lp = lp;
  list_init(&s->handles);
  list_append(loop_scopes(lp), &s->in_loop);
}

void scope_close_handles(scope *s) {
  while (!list_empty(&s->handles)) {
    handle *h = LIST_ENTRY(s->handles.prev, handle, in_scope);
    handle_close(h); /* even if its close fails to: this loop ends */
    h->type->close(h);
  }
}

void scope_close(scope *s) {
  scope_close_handles(s);
  list_remove(&s->in_loop);
}

void handle_open(handle *h, const struct handle_type *type, const struct place *p) {
  h->type = type;
  h->host = p->host;
  h->lp = p->scope->lp;
  list_append(&p->scope->handles, &h->in_scope);
}

void handle_close(handle *h) {
  list_remove(&h->in_scope);
  if (h->is_anchored) loop_tell_closed(h->lp, h);
  h->is_anchored = false;
}

bool handle_anchor(handle *h) {
  h->is_anchored = !list_empty(&h->in_scope);
  return h->is_anchored;
}

/* Aborting one handle may close others, so the search begins again after each. */
static handle *find_handle(loop *lp, uint16_t host) {
  list *scopes = loop_scopes(lp);
  for (list *s = scopes->next; s != scopes; s = s->next) {
    list *handles = &LIST_ENTRY(s, scope, in_loop)->handles;
    for (list *l = handles->prev; l != handles; l = l->prev) {
      handle *h = LIST_ENTRY(l, handle, in_scope);
      if (h->host == host || h->far_host == host) return h;
    }
  }
  return NULL;
}

void handle_abort_all(loop *lp, uint16_t host) {
  handle *h;
  while ((h = find_handle(lp, host)) != NULL) {
    handle_close(h); /* even if its abort fails to: this loop ends */
    h->type->abort(h);
  }
}
