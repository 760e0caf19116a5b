#include "handle/scope.h"

void scope_open(scope *s, loop *lp) {
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

void handle_open(handle *h, const struct handle_type *type, scope *s) {
  h->type = type;
  list_append(&s->handles, &h->in_scope);
}

void handle_close(handle *h) { list_remove(&h->in_scope); }
