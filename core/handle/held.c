#include "handle/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct held_memory {
  size_t start; /* where the held bytes begin */
  size_t length, capacity;
  char bytes[];
};

size_t held_length(const held *h) { return h->memory == NULL ? 0 : h->memory->length; }

const char *held_data(const held *h) {
  return h->memory == NULL ? NULL : h->memory->bytes + h->memory->start;
}

static int held_grow(held *h, size_t needed) {
  struct held_memory *old = h->memory;
  size_t doubled = old == NULL ? 0 : 2 * old->capacity;
  size_t capacity = needed > doubled ? needed : doubled;
  struct held_memory *memory = realloc(old, sizeof *memory + capacity);
  if (memory == NULL) return -ENOMEM;
  if (old == NULL) memory->start = memory->length = 0;
  memory->capacity = capacity;
  h->memory = memory;
  return 0;
}

/* Reuses the room of the bytes that held_take took from the front. */
static void held_move_to_front(struct held_memory *memory) {
  if (memory->start > 0) memmove(memory->bytes, memory->bytes + memory->start, memory->length);
  memory->start = 0;
}

char *held_reserve(held *h, size_t more) {
  size_t needed = held_length(h) + more;
  if (h->memory != NULL) held_move_to_front(h->memory);
  if (h->memory == NULL || needed > h->memory->capacity) {
    if (held_grow(h, needed) < 0) return NULL;
  }
  return h->memory->bytes + h->memory->length;
}

void held_filled(held *h, size_t length) { h->memory->length += length; }

int held_append(held *h, const char *data, size_t length) {
  char *room = held_reserve(h, length);
  if (room == NULL) return -ENOMEM;
  memcpy(room, data, length);
  held_filled(h, length);
  return 0;
}

void *held_take(held *h, size_t length, const char **data) {
  struct held_memory *memory = h->memory;
  *data = held_data(h);
  if (memory != NULL && length == memory->length) { /* take all: hand the memory over */
    h->memory = NULL;
    return memory;
  }
  char *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL || length == 0) return copy;
  *data = memcpy(copy, *data, length);
  memory->start += length;
  memory->length -= length;
  return copy;
}

size_t held_line(const held *h) {
  size_t length = held_length(h);
  const char *newline = length == 0 ? NULL : memchr(held_data(h), '\n', length);
  return newline == NULL ? 0 : (size_t)(newline - held_data(h)) + 1;
}

void held_free(held *h) {
  free(h->memory);
  h->memory = NULL;
}
