/* Bytes that a receive took from the kernel and has not returned: the part of a line or of a block
 * whose rest did not come in time. */
#ifndef LUNET_HANDLE_HELD_H
#define LUNET_HANDLE_HELD_H

#include <stddef.h>

typedef struct held {
  char *memory; /* malloc'ed; freed by held_free, or handed over by held_take */
  size_t start; /* where the held bytes begin */
  size_t length, capacity;
} held;

/* Room for `more` bytes behind those held: where to put them, or NULL without memory. */
char *held_reserve(held *h, size_t more);

int held_append(held *h, const char *data, size_t length); /* 0 or -ENOMEM */

/* The first `length` bytes, malloc'ed, the caller's from now on; NULL without memory. */
char *held_take(held *h, size_t length);

const char *held_data(const held *h);

/* How many bytes make the first line, its newline included; 0 if there is no newline. */
size_t held_line(const held *h);

void held_free(held *h);

#endif
