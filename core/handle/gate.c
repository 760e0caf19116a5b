#include "handle/gate.h"

#include <stdlib.h>

struct gate {
  void (*has_room)(void *listener);
  void *listener; /* NULL once the listener has closed */
  uint32_t limit, count;
};

gate *gate_open(void (*has_room)(void *listener), void *listener) {
  gate *g = calloc(1, sizeof *g);
  if (g == NULL) return NULL;
  g->has_room = has_room;
  g->listener = listener;
  g->limit = GATE_OPEN;
  return g;
}

static void gate_free_unused(gate *g) {
  if (g->listener == NULL && g->count == 0) free(g);
}

void gate_close(gate *g) {
  g->listener = NULL;
  gate_free_unused(g);
}

void gate_enter(gate *g) { g->count++; }

void gate_leave(gate *g) {
  g->count--;
  if (g->listener != NULL) g->has_room(g->listener);
  gate_free_unused(g);
}

bool gate_has_room(const gate *g) { return g->count < g->limit; }

void gate_set(gate *g, uint32_t limit) {
  g->limit = limit;
  if (g->listener != NULL) g->has_room(g->listener);
}

uint32_t gate_limit(const gate *g) { return g->limit; }
uint32_t gate_count(const gate *g) { return g->count; }
