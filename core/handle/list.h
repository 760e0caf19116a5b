/* A circular list whose links live inside its elements. A link in no list points at itself, so
 * removing it twice is harmless. */
#ifndef LUNET_HANDLE_LIST_H
#define LUNET_HANDLE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list {
  struct list *prev, *next;
} list;

#define LIST_ENTRY(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void list_init(list *l) { l->prev = l->next = l; }
static inline bool list_empty(const list *l) { return l->next == l; }

static inline void list_append(list *l, list *link) {
  link->prev = l->prev;
  link->next = l;
  l->prev->next = link;
  l->prev = link;
}

static inline void list_remove(list *link) {
  link->prev->next = link->next;
  link->next->prev = link->prev;
  list_init(link);
}

/* Moves all of `from` to the end of `to`. */
static inline void list_move(list *from, list *to) {
  if (list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  list_init(from);
}

#endif
