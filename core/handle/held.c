#include "handle/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *held_data(const held *h) { return h->memory + h->start; }

char *held_reserve(held *h, size_t more) {
  if (h->start > 0) { /* what was taken from the front makes room first */
    memmove(h->memory, h->memory + h->start, h->length);
    h->start = 0;
  }
  size_t needed = h->length + more;
  if (needed > h->capacity) {
    size_t capacity = needed > 2 * h->capacity ? needed : 2 * h->capacity;
    char *memory = realloc(h->memory, capacity);
    if (memory == NULL) return NULL;
    h->memory = memory;
    h->capacity = capacity;
  }
  return h->memory + h->length;
}

int held_append(held *h, const char *data, size_t length) {
  char *room = held_reserve(h, length);
  if (room == NULL) return -ENOMEM;
  memcpy(room, data, length);
  h->length += length;
  return 0;
}

char *held_take(held *h, size_t length) {
  if (h->start == 0 && length == h->length && h->memory != NULL) { /* all: hand the memory over */
    char *memory = h->memory;
    *h = (held){NULL, 0, 0, 0};
    return memory;
  }
  char *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL) return NULL;
  if (length > 0) memcpy(copy, held_data(h), length);
  h->start += length;
  h->length -= length;
  if (h->length == 0) held_free(h);
  return copy;
}

size_t held_line(const held *h) {
  const char *newline = h->length == 0 ? NULL : memchr(held_data(h), '\n', h->length);
  return newline == NULL ? 0 : (size_t)(newline - held_data(h)) + 1;
}

void held_free(held *h) {
  free(h->memory);
  *h = (held){NULL, 0, 0, 0};
}
